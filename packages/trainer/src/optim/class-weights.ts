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
  /** What the loss sees of each class before any focusing, sums to 1. */
  readonly prior: readonly number[]
  /**
   * Slope of log prior over log count by least squares: 1 is the natural distribution, 0 a balanced one, below 0 the rare
   * classes weigh more than the frequent: corrections have stacked up beyond balance. Null when all counts are equal.
   */
  readonly slope: number | null
}

/**
 * The class prior that sampler (`n^power`) and class weights together make of the training counts. The focal loss is not
 * counted: it weighs photos, by how far the network is with each, and its share of a class changes from step to step.
 */
export function effectivePrior(
  counts: readonly number[],
  samplerPower: number,
  weights: readonly number[] | null,
): EffectivePrior {
  const raw = counts.map((count, index) => count ** samplerPower * (weights?.[index] ?? 1))
  const total = raw.reduce((sum, value) => sum + value, 0)
  const prior = raw.map((value) => value / total)
  const points = counts.flatMap((count, index) =>
    count > 0 ? [[Math.log(count), Math.log(prior[index]!)] as const] : [],
  )
  const mean = (place: 0 | 1): number => points.reduce((sum, point) => sum + point[place], 0) / points.length
  const [meanX, meanY] = [mean(0), mean(1)]
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return { prior, slope: variance < 1e-12 ? null : covariance / variance }
}

/** Slope of the effective prior below which a warning is given; a little beyond balance is noise. */
const overcorrected = -0.1

/** What to say of a phase in which corrections have stacked up beyond balance; null where they have not. */
export function priorWarning(slope: EffectivePrior['slope'], focalGamma: number): string | null {
  if (slope === null || slope >= overcorrected) return null
  const focal = focalGamma > 0 ? '; the focal loss is not counted' : ''
  return `warning: sampler and class weights together go beyond balance: rare classes weigh more than frequent ones (slope ${slope.toFixed(2)}; 1 is natural, 0 balanced${focal})`
}
