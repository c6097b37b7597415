import { mean } from '../measure/mean.ts'

/**
 * Class weights by the effective number of samples (Cui et al. 2019, arXiv 1901.05555): `(1 - beta) / (1 - beta^n)`,
 * scaled to a mean of 1. A class without training photos gets the weight of one with a single photo.
 */
export function effectiveNumberWeights(counts: readonly number[], beta: number): number[] {
  const raw = counts.map((count) => (1 - beta) / (1 - beta ** Math.max(1, count)))
  const total = raw.reduce((sum, weight) => sum + weight, 0)
  return raw.map((weight) => (weight * counts.length) / total)
}

export interface EffectivePrior {
  /** The share of each class in the loss; sums to 1. */
  readonly prior: readonly number[]
  /**
   * Slope of log prior over log count by least squares: 1 is the natural distribution and 0 a balanced one. Below 0 rare
   * classes weigh more than frequent ones: corrections have stacked up beyond balance. Null when all counts are equal.
   */
  readonly slope: number | null
}

/** The class prior that the sampler (`n^power`), class weights and the focal loss (`focus`) make of the training counts. */
export function effectivePrior(
  counts: readonly number[],
  samplerPower: number,
  weights: readonly number[] | null,
  focus: readonly number[] | null = null,
): EffectivePrior {
  const raw = counts.map((count, index) => count ** samplerPower * (weights?.[index] ?? 1) * (focus?.[index] ?? 1))
  const total = raw.reduce((sum, value) => sum + value, 0)
  const prior = raw.map((value) => value / total)
  const points = counts.flatMap((count, index) =>
    count > 0 ? [[Math.log(count), Math.log(prior[index]!)] as const] : [],
  )
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))]
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return { prior, slope: variance < 1e-12 ? null : covariance / variance }
}

/**
 * The share that the focal loss leaves of each class: the mean of `(1 - p)^gamma` over its photos, where p is the
 * probability of a photo's own label. A class without photos gets the mean over all photos.
 */
export function focalFactors(
  photos: readonly { readonly index: number; readonly own: number }[],
  classes: number,
  gamma: number,
): number[] {
  const left = (chosen: typeof photos): number => mean(chosen.map(({ own }) => (1 - own) ** gamma))
  return Array.from({ length: classes }, (_, index) => {
    const ofClass = photos.filter((photo) => photo.index === index)
    return left(ofClass.length === 0 ? photos : ofClass)
  })
}

/** A warning is given below this slope of the effective prior; a little beyond balance is noise. */
const overcorrected = -0.1

/** A warning that the corrections named by `what` have stacked up beyond balance; null if they have not. */
export function priorWarning(slope: EffectivePrior['slope'], what: string): string | null {
  if (slope === null || slope >= overcorrected) return null
  return `warning: ${what} together go beyond balance: rare classes weigh more than frequent ones (slope ${slope.toFixed(2)}; 1 is natural, 0 balanced)`
}
