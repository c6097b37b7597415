import type { Scores } from './metrics.ts'

export interface DoubtfulLabel {
  /** Place of the photo. */
  readonly photo: number
  /** The class that is likeliest in the place of its label. */
  readonly suggested: number
}

/**
 * Labels that are in doubt, most doubtful first: those for which another class is likelier, the least likely label first.
 * That is the self-confidence of confident learning (Northcutt et al. 2021, arXiv:1911.00068; Kuan and Mueller,
 * "Model-agnostic label quality scoring to detect real-world label errors", 2022). Its cuts by class thresholds or by noise
 * rates would leave out wrong labels: docs/data.md has how many.
 *
 * @param rows probabilities, a row a photo; at their best from a model that has not seen the photo
 * @param labels class indices as given
 */
export function doubtfulLabels(rows: readonly Scores[], labels: readonly number[]): DoubtfulLabel[] {
  return rows
    .flatMap((row, photo) => {
      const own = row[labels[photo]!]!
      let [suggested, most] = [-1, own]
      for (let index = 0; index < row.length; index++) if (row[index]! > most) [suggested, most] = [index, row[index]!]
      return suggested < 0 ? [] : [{ photo, suggested, own, most }]
    })
    .sort((a, b) => a.own - b.own || b.most - a.most || a.photo - b.photo)
    .map(({ photo, suggested }) => ({ photo, suggested }))
}
