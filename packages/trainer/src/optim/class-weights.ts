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
  /** What the loss sees of each class, sums to 1. */
  readonly prior: readonly number[]
  /**
   * Slope of log prior over log count by least squares: 1 is the natural distribution, 0 a balanced one, below 0 the rare
   * classes weigh more than the frequent: corrections have stacked up beyond balance. Null when all counts are equal.
   */
  readonly slope: number | null
}

/**
 * The class prior that sampler (`n^power`), class weights and, where `focus` is given, the focal loss together make of the
 * training counts.
 */
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
  const mean = (place: 0 | 1): number => points.reduce((sum, point) => sum + point[place], 0) / points.length
  const [meanX, meanY] = [mean(0), mean(1)]
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return { prior, slope: variance < 1e-12 ? null : covariance / variance }
}

/**
 * What the focal loss leaves of each class: the mean of `(1 - p)^gamma` over its photos, p the probability of a photo's own
 * label. It changes as the network learns. A class without photos gets the mean of all photos.
 */
export function focalFactors(
  photos: readonly { readonly index: number; readonly own: number }[],
  classes: number,
  gamma: number,
): number[] {
  const mean = (chosen: typeof photos): number =>
    chosen.reduce((sum, { own }) => sum + (1 - own) ** gamma, 0) / chosen.length
  const all = mean(photos)
  return Array.from({ length: classes }, (_, index) => {
    const own = photos.filter((photo) => photo.index === index)
    return own.length === 0 ? all : mean(own)
  })
}

/** Slope of the effective prior below which a warning is given; a little beyond balance is noise. */
const overcorrected = -0.1

/** What to say where corrections, named by `what`, have stacked up beyond balance; null where they have not. */
export function priorWarning(slope: EffectivePrior['slope'], what: string): string | null {
  if (slope === null || slope >= overcorrected) return null
  return `warning: ${what} together go beyond balance: rare classes weigh more than frequent ones (slope ${slope.toFixed(2)}; 1 is natural, 0 balanced)`
}
