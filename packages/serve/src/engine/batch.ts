import type { BatchSeconds, WarmUp } from './messages.ts'

/**
 * Finds the batch that is fastest. Views slower than 25 ms gain nothing from batches, and batches of them would delay a
 * cancellation. What is found is kept, so one run that others disturbed must not decide.
 */
export const trial: WarmUp = { batches: [1, 2, 4], times: 3, slowViewSeconds: 0.025 }

/** Warms up for runs of at most `batch` views, and times them once: what they take now, beside whatever else runs. */
export function warmUpFor(batch: number): WarmUp {
  return { batches: batch === 1 ? [1] : [1, batch], times: 1, slowViewSeconds: Infinity }
}

const fastestView = (measured: readonly BatchSeconds[]): number =>
  Math.min(...measured.map((seconds) => seconds[1] ?? Infinity))

/** Whether a view takes less than half of what it took at a measurement: other work disturbed that, and it decides nothing. */
export function wasDisturbed(measurement: readonly BatchSeconds[], now: readonly BatchSeconds[]): boolean {
  return 2 * fastestView(now) < fastestView(measurement)
}

/** A larger batch has to be faster by this share a view to be worth a later cancellation. */
const worthwhile = 0.1

/**
 * Views a run should have, from what workers measured: the smallest number whose seconds a view are within a tenth
 * of the least. 1 when nothing was measured.
 */
export function chooseBatch(measured: readonly BatchSeconds[]): number {
  const sizes = Object.keys(measured[0] ?? {})
    .map(Number)
    .filter((size) => measured.every((seconds) => size in seconds))
  const perView = sizes.map((size) => measured.reduce((sum, seconds) => sum + seconds[size]!, 0) / size)
  const least = Math.min(...perView)
  return sizes.find((_, index) => perView[index]! * (1 - worthwhile) <= least) ?? 1
}
