import type { Scores } from './metrics.ts'

export interface DoubtfulLabel {
  /** Place of the photo. */
  readonly photo: number
  /** The class that the model would give it. */
  readonly suggested: number
  /** Probability of the given label minus that of the suggested one, in [-1, 1]; the lower, the more doubtful. */
  readonly margin: number
}

/**
 * Labels that are likely wrong, most doubtful first, by confident learning (Northcutt et al. 2021, arXiv:1911.00068): a
 * photo is confidently of a class when its probability reaches the mean probability that the photos labelled so get for
 * it; its label is in doubt when the likeliest of its confident classes is another one. Ranked by normalised margin.
 *
 * @param rows probabilities, a row a photo
 * @param labels class indices as given
 */
export function doubtfulLabels(rows: readonly Scores[], labels: readonly number[]): DoubtfulLabel[] {
  const threshold = meanOwnProbability(rows, labels)
  return rows
    .flatMap((row, photo) => {
      const label = labels[photo]!
      let [suggested, most] = [label, -Infinity]
      for (const [index, least] of threshold) {
        const value = row[index]!
        if (value >= least && (value > most || (value === most && index < suggested)))
          [suggested, most] = [index, value]
      }
      return suggested === label ? [] : [{ photo, suggested, margin: row[label]! - most }]
    })
    .sort((a, b) => a.margin - b.margin || a.photo - b.photo)
}

/** By class that has photos. */
function meanOwnProbability(rows: readonly Scores[], labels: readonly number[]): Map<number, number> {
  const sums = new Map<number, { sum: number; photos: number }>()
  rows.forEach((row, photo) => {
    const label = labels[photo]!
    const { sum, photos } = sums.get(label) ?? { sum: 0, photos: 0 }
    sums.set(label, { sum: sum + row[label]!, photos: photos + 1 })
  })
  return new Map([...sums].map(([label, { sum, photos }]) => [label, sum / photos]))
}
