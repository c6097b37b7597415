import { startDecoder } from '@flowers/shared/image/decode-threads'
import type { Decoder } from '@flowers/shared/image/decode-threads'
import { readAllowance } from './plan.ts'
import type { Allowance } from './plan.ts'
import { startWorker } from './pool.ts'
import type { PoolOptions } from './pool.ts'

/** What the engine has of the machine: tests put other threads and another clock in its place. */
export interface Platform {
  /** What the process may use. */
  readonly allowance: Allowance
  readonly createWorker: PoolOptions['createWorker']
  readonly createDecoder: (threads: number) => Decoder
  /** Milliseconds. */
  readonly now: () => number
}

/** This machine. */
export function thisMachine(): Platform {
  return {
    allowance: readAllowance(),
    createWorker: startWorker,
    createDecoder: (threads) => startDecoder({ threads }),
    now: () => performance.now(),
  }
}
