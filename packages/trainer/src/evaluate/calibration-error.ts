/**
 * Expected calibration error (Naeini et al. 2015; Guo et al. 2017, arXiv:1706.04599): photos are put into equal-width
 * bins of confidence, `(i/bins, (i+1)/bins]`; the gap between accuracy and mean confidence of a bin is weighted by its
 * share of the photos.
 *
 * @param confidences in [0, 1]
 * @param right whether the answer was right
 * @returns in [0, 1]; NaN without photos
 */
export function expectedCalibrationError(confidences: ArrayLike<number>, right: readonly boolean[], bins = 15): number {
  const count = Array<number>(bins).fill(0)
  const gap = Array<number>(bins).fill(0)
  for (let photo = 0; photo < right.length; photo++) {
    const confidence = confidences[photo] as number
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))
    count[bin] = (count[bin] as number) + 1
    gap[bin] = (gap[bin] as number) + Number(right[photo]) - confidence
  }
  return gap.reduce((sum, difference) => sum + Math.abs(difference), 0) / right.length
}
