import { Worker } from 'node:worker_threads'
import { vi } from 'vitest'
import { ForecastErrors } from '../engine/scheduler/forecast.ts'
import type { Service } from '../app.ts'

/** Runs on their way to workers. */
export interface HeldRuns {
  /** How many are held. */
  readonly held: () => number
  /** Sends those that are held, and from now on every other at once. */
  readonly release: () => void
}

/** Lets the first `passing` runs through to the workers of this process and holds the others. */
export function holdRuns(passing = 0): HeldRuns {
  const held: (() => void)[] = []
  let letThrough = passing
  let open = false
  // oxlint-disable-next-line typescript/unbound-method -- called with its thread below
  const post = Worker.prototype.postMessage
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, ...sent) {
    if (!isRun(sent[0]) || open || letThrough-- > 0) post.apply(this, sent)
    else held.push(() => post.apply(this, sent))
  })
  const release = (): void => {
    open = true
    for (const go of held.splice(0)) go()
  }
  return { held: () => held.length, release }
}

/** Whether a message to a worker asks it to run views. */
export function isRun(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'run' in message
}

/** Forecasts as if a view took `seconds`, and as if no forecast had been wrong. */
export async function expectViewSeconds({ engine }: Pick<Service, 'engine'>, seconds: number): Promise<void> {
  const classifier = await engine.classifier()
  vi.spyOn(classifier.cost, 'seconds').mockImplementation((views) => seconds * views)
  vi.spyOn(classifier.cost, 'isStale').mockReturnValue(false)
  vi.spyOn(ForecastErrors.prototype, 'margin').mockReturnValue(0)
}
