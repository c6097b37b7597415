import { bootstrap } from './bootstrap.ts'

/** The largest calibration error with which probabilities are still called calibrated. */
export const mostError = 0.05

export interface ReliabilityBin {
  /** Photos whose confidence lies in the bin. */
  readonly photos: number
  /** Share of them that is right, in [0, 1]; 0 without photos. */
  readonly accuracy: number
  /** Their mean confidence, in [0, 1]; 0 without photos. */
  readonly confidence: number
}

/**
 * What a reliability diagram shows (Guo et al. 2017, arXiv:1706.04599): photos in equal-width bins of confidence,
 * `(i/bins, (i+1)/bins]`.
 *
 * @param confidences in [0, 1]
 * @param right whether the answer was right
 * @param weights how much each photo counts, 1 unless said
 */
export function reliabilityBins(
  confidences: ArrayLike<number>,
  right: readonly boolean[],
  bins: number,
  weights?: ArrayLike<number>,
): ReliabilityBin[] {
  const sums = Array.from({ length: bins }, () => ({ photos: 0, right: 0, confidence: 0 }))
  for (let photo = 0; photo < right.length; photo++) {
    const confidence = confidences[photo] as number
    const bin = sums[placeOf(confidence, bins)]!
    const weight = weights?.[photo] ?? 1
    bin.photos += weight
    bin.right += weight * Number(right[photo])
    bin.confidence += weight * confidence
  }
  return sums.map(({ photos, right, confidence }) => ({
    photos,
    accuracy: photos === 0 ? 0 : right / photos,
    confidence: photos === 0 ? 0 : confidence / photos,
  }))
}

const placeOf = (confidence: number, bins: number): number =>
  Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))

/**
 * Expected calibration error (Naeini et al. 2015; Guo et al. 2017, arXiv:1706.04599): the gap between accuracy and mean
 * confidence of a bin is weighted by its share of the photos.
 *
 * @param confidences in [0, 1]
 * @param right whether the answer was right
 * @param weights as of `reliabilityBins`
 * @returns in [0, 1]; NaN without photos
 */
export function expectedCalibrationError(
  confidences: ArrayLike<number>,
  right: readonly boolean[],
  bins = 15,
  weights?: ArrayLike<number>,
): number {
  const filled = reliabilityBins(confidences, right, bins, weights)
  const gaps = filled.map(({ photos, accuracy, confidence }) => photos * Math.abs(accuracy - confidence))
  const total = filled.reduce((sum, { photos }) => sum + photos, 0)
  return gaps.reduce((sum, gap) => sum + gap, 0) / total
}

const seed = 1

/**
 * The same with a 95 % interval over photos, by the bootstrap. Of few photos a binned error comes out too large, and of
 * resampled ones larger still (Kumar et al. 2019, arXiv:1909.10155), so the lower end is that of the basic bootstrap, the
 * value less what the upper end lies above it: the interval is rather too wide.
 *
 * @returns each in [0, 1], the value within the interval; NaN without photos
 */
export function measureCalibrationError(
  confidences: ArrayLike<number>,
  right: readonly boolean[],
  bins = 15,
): { value: number; low: number; high: number } {
  const binOf = Int32Array.from(confidences, (confidence) => placeOf(confidence, bins))
  const excess = Float64Array.from(confidences, (confidence, photo) => Number(right[photo]) - confidence)
  const sums = new Float64Array(bins)
  const errorOf = (photos: ArrayLike<number>): number => {
    sums.fill(0)
    for (let place = 0; place < photos.length; place++) sums[binOf[photos[place]!]!]! += excess[photos[place]!]!
    return sums.reduce((sum, gap) => sum + Math.abs(gap), 0) / photos.length
  }
  const { value, high } = bootstrap(right.length, errorOf, { seed, resamples: right.length > many ? 200 : 1000 })
  const above = Math.max(value, high)
  return { value, low: Math.max(0, 2 * value - above), high: Math.min(1, above) }
}

/** Photos of which fewer resamples do, so that it stays a matter of a second. */
const many = 20_000
