import { upperBound } from './binomial.ts'

/** How sure it is that no more photos of the classes are refused than was asked for. */
export const refusalConfidence = 0.5

/**
 * The threshold of `known` below which a picture is refused: as high as it can be while, with a confidence of 50 %, at most
 * `share` of photos of the classes are. That is a one-sided tolerance limit (Wilks 1941, "Determination of sample sizes for
 * setting tolerance limits"): what lies below the k-th smallest of n values has a share from Beta(k, n + 1 - k), whatever their
 * distribution. It is put between two of the values, so that rounding moves none of them across.
 *
 * @param known of photos of the classes that nothing was fitted on or chosen by
 * @param share in (0, 1)
 * @returns null where so few photos cannot promise it
 */
export function refusalThreshold(known: readonly number[], share: number): number | null {
  let below = 0
  while (below < known.length && upperBound(below, known.length, refusalConfidence) <= share) below++
  if (below === 0) return null
  const sorted = known.toSorted((a, b) => a - b)
  const [kept, refused] = [sorted[below - 1]!, sorted[below - 2]]
  return refused === undefined ? kept - rounding : (kept + refused) / 2
}

/** More than rounding moves a value of float32. */
const rounding = 1e-6
