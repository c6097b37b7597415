import type { BatchSeconds } from './protocol.ts'

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
