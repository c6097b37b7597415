import { meanRecall } from '../../measure/mean-recall.ts'
import type { ClassMetrics } from '../../measure/metrics.ts'

export interface FewShot {
  /** Mean recall of the classes, in [0, 1]: each counts alike. */
  readonly recall: number
  /** Its 95 % interval over photos; absent in ladders of an earlier release. */
  readonly low?: number
  readonly high?: number
  readonly classes: number
  /** The largest of them has so many training photos. */
  readonly largest: number
}

/** Under so many training photos a class is few-shot, as in Liu et al. 2019 (arXiv:1904.05160). */
export const fewPhotos = 20

/**
 * How the rarest classes fare: those under 20 training photos, or, where the data has none, the third with the fewest.
 * Classes without a validation photo count for nothing; null when no such class has one.
 */
export function fewShot(classes: readonly ClassMetrics[], trainCounts: readonly number[]): FewShot | null {
  const rarest = trainCounts
    .map((count, index) => ({ count, metrics: classes[index]! }))
    .toSorted((a, b) => a.count - b.count)
  const few = rarest.filter(({ count }) => count < fewPhotos)
  const chosen = few.length > 0 ? few : rarest.slice(0, Math.ceil(rarest.length / 3))
  const members = chosen.filter(({ metrics }) => metrics.photos > 0)
  const measured = meanRecall(members.map(({ metrics }) => metrics))
  if (measured === null) return null
  return {
    recall: measured.value,
    low: measured.low,
    high: measured.high,
    classes: members.length,
    largest: Math.max(...members.map(({ count }) => count)),
  }
}
