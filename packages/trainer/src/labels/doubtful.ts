import type { Sample } from '../dataset/dataset.ts'
import { doubtfulLabels } from '../measure/label-errors.ts'

/** A photo and the probability that a network which has not learnt its label, or has learnt it with others, gives each class. */
export interface JudgedPhoto {
  readonly sample: Sample
  readonly split: 'train' | 'valid'
  readonly scores: ArrayLike<number>
}

export interface DoubtfulPhoto {
  readonly photo: JudgedPhoto
  /** The class that is likelier than its label. */
  readonly suggested: number
}

/** Photos whose labels are in doubt, the most doubtful first: the one list of report and `data labels`. */
export const doubtfulPhotos = (photos: readonly JudgedPhoto[]): DoubtfulPhoto[] =>
  doubtfulLabels(
    photos.map(({ scores }) => scores),
    photos.map(({ sample }) => sample.index),
  ).map(({ photo, suggested }) => ({ photo: photos[photo]!, suggested }))

/** Photos that are surely of a class, by their labels and by what is said of them: at most `count`, the surest first. */
export function examplesOf(photos: readonly JudgedPhoto[], label: number, count: number): JudgedPhoto[] {
  return photos
    .filter(
      ({ sample, scores }) => sample.index === label && Array.from(scores).every((score) => score <= scores[label]!),
    )
    .toSorted((a, b) => b.scores[label]! - a.scores[label]!)
    .slice(0, count)
}
