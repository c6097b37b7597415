import type { BatchSeconds } from '../messages.ts'

/** Seconds of a run by its number of views: `fixed + perView * views`, both at least 0. */
export interface CostLine {
  readonly fixed: number
  readonly perView: number
}

/**
 * The line of least squares through what workers measured, as Clipper and Clockwork model a batch (Crankshaw et al.
 * 2017, Gujarati et al. 2020). Through the origin when one size was measured or the fit would be negative.
 */
export function fitLine(measured: readonly BatchSeconds[]): CostLine {
  const points = measured.flatMap((seconds) => Object.entries(seconds).map(([views, y]) => ({ x: Number(views), y })))
  if (points.length === 0) return { fixed: 0, perView: 0 }
  const mean = (value: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + value(point), 0) / points.length
  const x = mean((point) => point.x)
  const y = mean((point) => point.y)
  const spread = mean((point) => (point.x - x) ** 2)
  const slope = spread === 0 ? 0 : mean((point) => (point.x - x) * (point.y - y)) / spread
  const fixed = y - slope * x
  return slope > 0 && fixed >= 0 ? { fixed, perView: slope } : { fixed: 0, perView: y / x }
}

/** Exponential average: `newest` counts with this weight. */
export function average(old: number, newest: number, weight: number): number {
  return old + weight * (newest - old)
}

/** Weight of the newest measurement. */
const newestWeight = 0.1

/** After so many seconds without a measurement the next one counts alone. */
export const staleSeconds = 30

/** What runs of a model cost now: a line from the warm-up, scaled by what later runs took. */
export class Cost {
  readonly #line: CostLine
  #scale = 1
  #count = 0
  #last: number

  /** `now` and the other times are seconds of one clock. */
  constructor(line: CostLine, now: number) {
    this.#line = line
    this.#last = now
  }

  /** Seconds of a run of `views` views. */
  seconds(views: number): number {
    return this.#scale * (this.#line.fixed + this.#line.perView * views)
  }

  /** Tells what a run of `views` views took. */
  measured(views: number, seconds: number, now: number): void {
    const expected = this.#line.fixed + this.#line.perView * views
    if (expected <= 0) return
    this.#count = this.isStale(now) ? 1 : this.#count + 1
    this.#last = now
    // The first ones weigh more, so that a warm-up beside other work is soon forgotten.
    this.#scale = average(this.#scale, seconds / expected, Math.max(newestWeight, 1 / this.#count))
  }

  /** Whether nothing was measured for so long that the estimate may be wrong by any factor. */
  isStale(now: number): boolean {
    return now - this.#last > staleSeconds
  }
}

/**
 * Seconds until `views` views of one picture are through when nothing else is running: shared among `lanes` workers,
 * in runs of at most `batch`.
 */
export function latency(cost: Pick<Cost, 'seconds'>, views: number, lanes: number, batch: number): number {
  const share = Math.ceil(views / lanes)
  const whole = Math.floor(share / batch)
  const rest = share - whole * batch
  return whole * cost.seconds(batch) + (rest > 0 ? cost.seconds(rest) : 0)
}

/** Seconds of one worker that `views` views take in full runs. */
export function work(cost: Pick<Cost, 'seconds'>, views: number, batch: number): number {
  return (views * cost.seconds(batch)) / batch
}
