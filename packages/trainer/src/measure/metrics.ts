/** One photo's probabilities (or logits) over the classes, by index. */
export type Scores = ArrayLike<number>

/** Photos by class: as labelled, as answered, and where both agree. */
export interface AnswerCounts {
  readonly photos: Int32Array
  readonly answers: Int32Array
  readonly right: Int32Array
}

/** Counts of photos over `classes` classes; `drawn`: the places of those that count, each as often as it is named. */
export function countAnswers(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  drawn?: ArrayLike<number>,
): AnswerCounts {
  const [photos, answers, right] = [new Int32Array(classes), new Int32Array(classes), new Int32Array(classes)]
  for (let place = 0; place < (drawn ?? labels).length; place++) {
    const photo = drawn?.[place] ?? place
    const [label, answer] = [labels[photo]!, predicted[photo]!]
    photos[label]!++
    answers[answer]!++
    if (label === answer) right[label]!++
  }
  return { photos, answers, right }
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

export function perClass(counts: AnswerCounts): ClassMetrics[] {
  return Array.from(counts.photos, (photos, index) => {
    const [right, answers] = [counts.right[index]!, counts.answers[index]!]
    return {
      precision: answers === 0 ? 0 : right / answers,
      recall: photos === 0 ? 0 : right / photos,
      f1: f1Of(right, photos + answers),
      photos,
    }
  })
}

const f1Of = (right: number, photosAndAnswers: number): number =>
  photosAndAnswers === 0 ? 0 : (2 * right) / photosAndAnswers

/** Mean F1 over the classes that have photos; NaN without photos. */
export function macroF1({ photos, answers, right }: AnswerCounts): number {
  let [sum, classes] = [0, 0]
  for (let index = 0; index < photos.length; index++) {
    if (photos[index] === 0) continue
    sum += f1Of(right[index]!, photos[index]! + answers[index]!)
    classes++
  }
  return sum / classes
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
