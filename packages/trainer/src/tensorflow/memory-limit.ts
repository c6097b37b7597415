import { readFileSync } from 'node:fs'
import koffi from 'koffi'

/** RLIMIT_DATA of Linux's <sys/resource.h>: private writable memory. What is only reserved, as V8 does, is not counted. */
const RLIMIT_DATA = 2

/**
 * Lets this process take at most `bytes` of memory beyond what it has. An allocation above fails, which TensorFlow
 * reports as an error; without a limit the system ends the process instead, and nobody learns why. Linux only; does
 * nothing elsewhere.
 */
export function limitMemory(bytes: number): void {
  if (process.platform !== 'linux') return
  const taken = /^VmData:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  const limit = BigInt(Math.floor(bytes)) + 1024n * BigInt(taken?.[1] ?? 0)
  const setrlimit = koffi.load('libc.so.6').func('int setrlimit(int, const uint64_t*)') as (resource: number, limits: BigUint64Array) => number
  // The hard limit stays unlimited, so that a later phase can set another.
  setrlimit(RLIMIT_DATA, BigUint64Array.of(limit, 2n ** 64n - 1n))
}
