import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path/posix'

/** Reads a file of the system; undefined when it is not there. */
export type ReadText = (path: string) => string | undefined

/** What the process may use: cores as a fraction (a quota of 1.5 CPUs is 1.5), memory in bytes. */
export interface Allowance {
  readonly cores: number
  readonly memory: number
  /** Where the number of cores comes from. */
  readonly source: 'cgroup v2' | 'cgroup v1' | 'system'
}

/** How the cores are shared: `workers` ONNX sessions of `threads` threads. */
export interface ThreadPlan extends Allowance {
  readonly workers: number
  readonly threads: number
}

/**
 * The tightest CPU quota and memory limit of the control groups that the process is in, else what the system has.
 * onnxruntime and libvips look at the host only, so a container of 2 CPUs on a host of 64 would run 64 threads.
 */
export function readAllowance(
  read: ReadText = readText,
  system: { cores: number; memory: number } = { cores: availableParallelism(), memory: totalmem() },
): Allowance {
  const groups = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'))
  const v2 = ancestors(groups.find(([id, controllers]) => id === '0' && controllers === '')?.[2])
  const v1 = (controller: string): string[] =>
    ancestors(groups.find(([, controllers]) => controllers?.split(',').includes(controller))?.[2])
  const quotasV2 = v2.map((group) => quotaV2(read(join('/sys/fs/cgroup', group, 'cpu.max'))))
  const quotasV1 = v1('cpu').map((group) => {
    const folder = join('/sys/fs/cgroup/cpu', group)
    return quotaV1(read(join(folder, 'cpu.cfs_quota_us')), read(join(folder, 'cpu.cfs_period_us')))
  })
  const memory = [
    ...v2.map((group) => read(join('/sys/fs/cgroup', group, 'memory.max'))),
    ...v1('memory').map((group) => read(join('/sys/fs/cgroup/memory', group, 'memory.limit_in_bytes'))),
  ].map(positive)
  const cores = Math.min(...quotasV2, ...quotasV1, system.cores)
  const source = cores === system.cores ? 'system' : quotasV2.includes(cores) ? 'cgroup v2' : 'cgroup v1'
  return { cores, memory: Math.min(...memory, system.memory), source }
}

/** Of the memory that the process has, the share that weights may take. */
const weightsShare = 0.25

/** A session holds about this many times its file: weights, their packed copies, activations. */
const sessionSize = 2

/**
 * One single-threaded session for every core gives the most answers a second, and as the views of a request run on
 * idle workers side by side, it is no slower for one request. Fewer workers with more threads where `modelBytes`
 * times the workers would not fit the memory. `workers` and `threads` fix a number.
 */
export function planThreads(
  allowance: Allowance,
  modelBytes: number,
  fixed: { workers?: number | null; threads?: number | null } = {},
): ThreadPlan {
  // The fraction of a core that is left over decodes and answers.
  const cores = Math.max(1, Math.floor(allowance.cores))
  const fitting = Math.floor((allowance.memory * weightsShare) / (modelBytes * sessionSize))
  const byThreads = fixed.threads ? Math.floor(cores / fixed.threads) : cores
  const workers = fixed.workers ?? Math.max(1, Math.min(byThreads, fitting))
  const threads = fixed.threads ?? Math.max(1, Math.floor(cores / workers))
  return { ...allowance, workers, threads }
}

/** `/a/b` gives `/a/b`, `/a`, `/`: a limit of any of them binds. In a container the path may not exist; `/` does. */
function ancestors(path: string | undefined): string[] {
  if (path === undefined) return []
  const parts = path.split('/').filter(Boolean)
  return parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`).concat('/')
}

/** `cpu.max` holds `quota period` in microseconds, or `max period`. */
function quotaV2(text: string | undefined): number {
  const [quota, period] = (text ?? '').split(/\s+/)
  return positive(quota) / positive(period) || Infinity
}

/** A quota of -1 is none. */
function quotaV1(quota: string | undefined, period: string | undefined): number {
  return positive(quota) / positive(period) || Infinity
}

/** The number, or Infinity for anything that limits nothing. */
function positive(text: string | undefined): number {
  const value = Number(text?.trim() || NaN)
  return value > 0 ? value : Infinity
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Whatever the reason, a file that cannot be read limits nothing.
    return undefined
  }
}
