import { conformalSetSize } from '@flowers/shared/model/calibration'
import type { Scores } from './metrics.ts'

/** More than rounding can move a sum of probabilities; a set is left short by no class because of it. */
const rounding = 1e-6

/**
 * Threshold of the conformal set: labels are added, best first, until their calibrated probabilities sum to it
 * (Romano, Sesia and Candes 2020, arXiv:2006.02544, without randomisation). The true label is in the set when the
 * classes ranked before it sum to less; the threshold is the `ceil((n + 1) coverage)`-th smallest of those sums, so for
 * exchangeable photos the set holds the true label with at least this probability.
 *
 * @param rows calibrated probabilities, one row a photo
 * @returns in (0, 1], or null when n is too small for the coverage (19 photos for 95 %)
 */
export function conformalThreshold(
  rows: readonly Scores[],
  labels: ArrayLike<number>,
  coverage: number,
): number | null {
  const position = Math.ceil((rows.length + 1) * coverage - 1e-9)
  if (position > rows.length) return null
  const sums = rows.map((row, photo) => sumBefore(row, labels[photo] as number)).sort((a, b) => a - b)
  return Math.min(1, (sums[position - 1] as number) + rounding)
}

/** Sum of the probabilities of the classes ranked before `label`. */
function sumBefore(row: Scores, label: number): number {
  let sum = 0
  for (const value of before(row, label).sort().toReversed()) sum += value
  return sum
}

/** The values that rank before that of `label`: the larger ones, and of equal ones those of lower indices. */
function before(row: Scores, label: number): Float64Array {
  const own = row[label]!
  return Float64Array.from(row).filter((value, index) => value > own || (value === own && index < label))
}

/** Photos whose set holds the true label, and the mean number of labels in a set; a threshold a photo. */
export function setQuality(
  rows: readonly Scores[],
  labels: ArrayLike<number>,
  thresholds: ArrayLike<number>,
): { covered: number; size: number } {
  let covered = 0
  let size = 0
  for (const [photo, row] of rows.entries()) {
    const length = conformalSetSize(Float64Array.from(row).sort().toReversed(), thresholds[photo]!)
    if (before(row, labels[photo]!).length < length) covered++
    size += length
  }
  return { covered, size: size / rows.length }
}
