import { mean } from './mean.ts'

/** One photo's probabilities (or logits) over the classes, by index. */
export type Scores = ArrayLike<number>

/** `matrix[truth][predicted]`: number of photos. */
export function confusionMatrix(predicted: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => Array<number>(classes).fill(0))
  for (let photo = 0; photo < labels.length; photo++) {
    const row = matrix[labels[photo] as number] as number[]
    row[predicted[photo] as number] = (row[predicted[photo] as number] as number) + 1
  }
  return matrix
}

export interface ClassMetrics {
  /** Right answers among the answers with this label; 0 when the label was never given. */
  readonly precision: number
  /** Right answers among this class's photos; 0 when it has none. */
  readonly recall: number
  /** Harmonic mean of both; 0 when both are. */
  readonly f1: number
  /** Photos of this class. */
  readonly photos: number
}

export function perClass(matrix: readonly (readonly number[])[]): ClassMetrics[] {
  const predicted = matrix.map((_, column) => matrix.reduce((sum, row) => sum + (row[column] as number), 0))
  return matrix.map((row, index) => {
    const right = row[index] as number
    const photos = row.reduce((sum, count) => sum + count, 0)
    const answers = predicted[index] as number
    return {
      precision: answers === 0 ? 0 : right / answers,
      recall: photos === 0 ? 0 : right / photos,
      f1: photos + answers === 0 ? 0 : (2 * right) / (photos + answers),
      photos,
    }
  })
}

/** Mean F1 over the classes that have photos; NaN without photos. */
export function macroF1(classes: readonly ClassMetrics[]): number {
  return mean(classes.filter(({ photos }) => photos > 0).map(({ f1 }) => f1))
}

export interface ShotGroup {
  readonly classes: number
  readonly photos: number
  /** Mean recall of the group's classes; null when none has photos. */
  readonly recall: number | null
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
    const recalls = members.reduce((sum, metrics) => sum + metrics.recall, 0)
    return {
      classes: members.length,
      photos: members.reduce((sum, metrics) => sum + metrics.photos, 0),
      recall: members.length === 0 ? null : recalls / members.length,
    }
  }
  return { many: group('many'), medium: group('medium'), few: group('few') }
}
