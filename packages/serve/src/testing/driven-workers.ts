import type { WorkerThread } from '@flowers/shared/worker-pool'
import { vi } from 'vitest'
import type { Service } from '../app.ts'
import { thisMachine, type Platform } from '../engine/platform.ts'
import { startWorker } from '../engine/pool.ts'
import { ForecastErrors } from '../engine/scheduler/forecast.ts'

/** Runs on their way to workers. */
export interface HeldRuns {
  /** How many are held. */
  readonly held: () => number
  /** Sends those that are held, and from now on every other at once. */
  readonly release: () => void
}

/** This machine with real workers whose runs a test can see and hold. */
export class DrivenWorkers {
  readonly platform: Platform
  /** The thread of each run that was asked for, in order; a test may empty it. */
  readonly asked: WorkerThread[] = []
  #held: (() => void)[] = []
  #passing = Infinity

  constructor() {
    this.platform = {
      ...thisMachine(),
      forecastErrors: new ForecastErrors(),
      createWorker: (settings) => this.#drive(startWorker({ ...settings, keepPriority: true })),
    }
  }

  /** Lets the next `passing` runs through to the workers and holds the others. */
  hold(passing = 0): HeldRuns {
    this.#passing = passing
    return { held: () => this.#held.length, release: () => this.release() }
  }

  release(): void {
    this.#passing = Infinity
    for (const go of this.#held.splice(0)) go()
  }

  #drive(thread: WorkerThread): WorkerThread {
    const driven: WorkerThread = {
      on: (event, listener) => thread.on(event, listener),
      terminate: () => thread.terminate(),
      postMessage: (message, transfer) => {
        const send = (): void => thread.postMessage(message, transfer)
        if (!isRun(message)) return send()
        this.asked.push(driven)
        if (this.#passing-- > 0) send()
        else this.#held.push(send)
      },
    }
    return driven
  }
}

function isRun(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'run' in message
}

/** Forecasts as if a view took `seconds`, and as if no forecast had been wrong. */
export async function expectViewSeconds(
  { engine, workers }: Pick<Service, 'engine'> & { readonly workers: DrivenWorkers },
  seconds: number,
): Promise<void> {
  const classifier = await engine.classifier()
  vi.spyOn(classifier.cost, 'seconds').mockImplementation((views) => seconds * views)
  vi.spyOn(classifier.cost, 'isStale').mockReturnValue(false)
  vi.spyOn(workers.platform.forecastErrors!, 'margin').mockReturnValue(0)
}
