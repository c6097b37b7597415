import { startDecoder, type Decoder } from '@flowers/shared/image/decode-threads'
import { readAllowance, type Allowance } from './plan.ts'
import { startWorker, type PoolOptions } from './pool.ts'
import type { ForecastErrors } from './scheduler/forecast.ts'

/** What the engine has of the machine: tests put other threads and another clock in its place. */
export interface Platform {
  /** What the process may use. */
  readonly allowance: Allowance
  /** Threads that decode. */
  readonly decodeThreads: number
  readonly createWorker: PoolOptions['createWorker']
  readonly createDecoder: () => Decoder
  /** How wrong forecasts were; without it nothing is known at the start. */
  readonly forecastErrors?: ForecastErrors
  /** Milliseconds. */
  readonly now: () => number
}

/** This machine. */
export function thisMachine(): Platform {
  const allowance = readAllowance()
  const decodeThreads = Math.max(1, Math.floor(allowance.cores))
  return {
    allowance,
    decodeThreads,
    createWorker: startWorker,
    createDecoder: () => startDecoder({ threads: decodeThreads }),
    now: () => performance.now(),
  }
}
