import type { Instruments, Stage } from './instruments.ts'
import type { Trace } from './tracing.ts'

/** The request of an image, as far as its times need it. */
interface Origin {
  /** `performance.now()` when its headers had arrived. */
  readonly arrived: number
  readonly trace: Trace | null
  readonly traceId: string | null
}

/**
 * Times the stages of an image, each from the end of the one before, so that they add up to its total. Made when the
 * image is admitted, which ends the stage `receive`.
 */
export class Stopwatch {
  /** Of the stages that ended; 0 before. */
  readonly milliseconds: Record<Stage, number> = { receive: 0, decode: 0, preprocess: 0, queue: 0, infer: 0, merge: 0 }
  readonly trace: Trace | null
  readonly #instruments: Pick<Instruments, 'stageSeconds'>
  readonly #origin: Origin
  #last: number

  constructor(instruments: Pick<Instruments, 'stageSeconds'>, origin: Origin) {
    this.#instruments = instruments
    this.#origin = origin
    this.trace = origin.trace
    this.#last = origin.arrived
    this.lap('receive')
  }

  /** Milliseconds from the headers of the request to the end of the last stage. */
  get total(): number {
    return this.#last - this.#origin.arrived
  }

  /** Ends a stage, at `end` of `performance.now()`. */
  lap(stage: Stage, end = performance.now()): void {
    const from = this.#last
    this.milliseconds[stage] = end - from
    const exemplarLabels = exemplarOf(this.#origin)
    this.#instruments.stageSeconds.observe({ labels: { stage }, value: (end - from) / 1000, exemplarLabels })
    this.trace?.span(stage, from, end)
    this.#last = end
  }
}

/** Labels of an exemplar: the trace, under the name that Grafana looks for; none where there is none. */
export function exemplarOf({ traceId }: { readonly traceId: string | null }): Record<string, string> {
  return traceId === null ? {} : { trace_id: traceId }
}
