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
