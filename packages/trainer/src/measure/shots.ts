import type { ClassMetrics } from './metrics.ts'
import { meanRecall } from './mean-recall.ts'

export interface ShotGroup {
  readonly classes: number
  readonly photos: number
  /** Mean recall of the group's classes; null when none has photos. */
  readonly recall: number | null
  /** Its 95 % interval over photos. */
  readonly low: number | null
  readonly high: number | null
}

export const shotNames = ['many', 'medium', 'few'] as const
export type Shots = (typeof shotNames)[number]

/** Training photos of the classes of a group. */
export const shotRanges: Readonly<Record<Shots, string>> = { many: 'over 100', medium: '20 to 100', few: 'under 20' }

/** The group of a class by its training photos: over 100, 20 to 100, under 20, as in Liu et al. 2019 (arXiv:1904.05160). */
export const shotsOf = (trainPhotos: number): Shots =>
  trainPhotos > 100 ? 'many' : trainPhotos >= 20 ? 'medium' : 'few'

/**
 * Classes grouped by the number of their training photos: see `shotsOf`. Classes without photos in the split count for nothing.
 */
export function shotGroups(classes: readonly ClassMetrics[], trainCounts: ArrayLike<number>): Record<Shots, ShotGroup> {
  const group = (shots: Shots): ShotGroup => {
    const members = classes.filter(
      (metrics, index) => metrics.photos > 0 && shotsOf(trainCounts[index] as number) === shots,
    )
    const { value, low, high, count } = meanRecall(members) ?? { value: null, low: null, high: null, count: 0 }
    return { classes: members.length, photos: count, recall: value, low, high }
  }
  return { many: group('many'), medium: group('medium'), few: group('few') }
}
