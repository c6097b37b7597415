import { readFileSync } from 'node:fs'

/** What the matrix products and convolutions of a compiled function are computed in. */
export type Precision = 'float32' | 'bfloat16' | 'float16'

/** Whether products in bfloat16 are computed by instructions of this machine; elsewhere they are slower than float32. */
export function hasBfloat16(device: 'cpu' | 'gpu'): boolean {
  if (device === 'gpu') return true
  try {
    return /avx512_bf16|amx_bf16/.test(readFileSync('/proc/cpuinfo', 'utf8'))
  } catch {
    return false
  }
}
