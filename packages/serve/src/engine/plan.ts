import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path/posix'
import { ServiceError } from '../errors.ts'

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
  /** What the sessions need together, estimated. */
  readonly bytes: number
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

/** Bytes that sessions need already. */
export interface Held {
  /** Of other models. */
  readonly others: number
  /** Of the version that serves until the new one takes its place. */
  readonly replaced: number
}

const nothingHeld: Held = { others: 0, replaced: 0 }

/** Of the memory that the process has, the share that sessions may take; a reload holds those of a model twice. */
const sessionsShare = 0.4

/** What they may take at worst, while a model is reloaded: the rest decodes and answers. */
const mostShare = 0.8

/**
 * Bytes that a session needs, estimated: the weights and their packed copies, activations of about 40 times the input,
 * and what any session has. Measured with EfficientNet-Lite2 and ConvNeXt-Base at 576 px: 190 and 800 MB a session.
 */
export function sessionBytes(fileBytes: number, size: number): number {
  return 2 * fileBytes + 40 * (3 * size * size * 4) + 10e6
}

/**
 * One single-threaded session for every core gives the most answers a second, and as the views of a request run on
 * idle workers side by side, it is faster for one request too: EfficientNet-Lite2 at 576 px on two cores answers four
 * views in 0.7 of the time that one session of two threads takes. Fewer workers with more threads where `session`
 * bytes times the workers would not fit the memory beside what is `held`. `workers` and `threads` fix a number. Throws
 * MODEL_MEMORY when one worker, or those that are fixed, would not fit.
 */
export function planThreads(
  allowance: Allowance,
  session: number,
  fixed: { workers?: number | null; threads?: number | null } = {},
  held: Held = nothingHeld,
): ThreadPlan {
  // The fraction of a core that is left over decodes and answers.
  const cores = Math.max(1, Math.floor(allowance.cores))
  const { memory } = allowance
  const mostHeld = held.others + held.replaced
  const fitting = Math.floor(Math.min(memory * sessionsShare - held.others, memory * mostShare - mostHeld) / session)
  const most = fixed.workers ?? Math.max(1, Math.min(cores, fitting))
  const threads = fixed.threads ?? Math.max(1, fixed.workers ? Math.floor(cores / most) : Math.ceil(cores / most))
  const workers = fixed.workers ?? Math.max(1, Math.min(most, Math.floor(cores / threads)))
  if (workers * session + mostHeld > memory * mostShare) {
    const replaced = held.replaced > 0 ? `, ${megabytes(held.replaced)} by the version that is replaced` : ''
    throw new ServiceError(
      'MODEL_MEMORY',
      `${workers} workers need about ${megabytes(workers * session)}; of ${megabytes(memory)}, ${megabytes(held.others)} are held by other models${replaced} and a fifth is kept free.`,
    )
  }
  return { ...allowance, workers, threads, bytes: workers * session }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
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
