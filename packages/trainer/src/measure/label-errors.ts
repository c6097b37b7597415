import type { Scores } from './metrics.ts'

export interface DoubtfulLabel {
  /** Place of the photo. */
  readonly photo: number
  /** The class that is likeliest in the place of its label. */
  readonly suggested: number
  /** At most 0; the lower, the more doubtful. */
  readonly score: number
}

/** A probability whose logarithm is still a number. */
const smallest = 1e-12

/**
 * Labels that are in doubt, most doubtful first: those that are not the likeliest class. They are ranked by the logarithms
 * of the two scores that find most wrong labels in Kuan and Mueller, "Model-agnostic label quality scoring to detect
 * real-world label errors" (2022), added up: the probability of the given label (self-confidence), and its ratio to that of
 * the likeliest other class (the margin). The list is not cut by the class thresholds of confident learning (Northcutt et
 * al. 2021, arXiv:1911.00068): docs/data.md has what that would lose.
 *
 * @param rows probabilities, a row a photo; at their best from a model that has not seen the photo
 * @param labels class indices as given
 */
export function doubtfulLabels(rows: readonly Scores[], labels: readonly number[]): DoubtfulLabel[] {
  const logarithm = (value: number): number => Math.log(Math.max(value, smallest))
  return rows
    .flatMap((row, photo) => {
      const own = row[labels[photo]!]!
      let [suggested, most] = [-1, own]
      for (let index = 0; index < row.length; index++) if (row[index]! > most) [suggested, most] = [index, row[index]!]
      return suggested < 0 ? [] : [{ photo, suggested, score: 2 * logarithm(own) - logarithm(most) }]
    })
    .sort((a, b) => a.score - b.score || a.photo - b.photo)
}
