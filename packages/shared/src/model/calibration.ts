import type { Manifest } from './manifest.ts'

/** One class of an answer. `score` is its calibrated probability in [0, 1]. */
interface Prediction {
  readonly label: string
  readonly index: number
  readonly score: number
}

export interface Answer {
  /** Best first; of equal ones the lower index first. */
  readonly predictions: Prediction[]
  /** Conformal set: labels that together hold the true one with the fitted coverage. Empty when it was not fitted. */
  readonly set: string[]
  /** Whether the picture is out-of-distribution: its score is below the threshold. False when none was fitted. */
  readonly abstain: boolean
}

/**
 * Temperature scaling (Guo et al. 2017) of a mean over views: the logarithm of the mean probability divided by the
 * temperature, through softmax. 1 changes nothing; above 1 is less sure. Keeps the order of classes.
 */
export function applyTemperature(mean: ArrayLike<number>, temperature: number): Float64Array {
  const powers = new Float64Array(mean.length)
  let largest = -Infinity
  for (let index = 0; index < powers.length; index++)
    largest = Math.max(largest, (powers[index] = Math.log(mean[index]!) / temperature))
  let sum = 0
  for (let index = 0; index < powers.length; index++) sum += powers[index] = Math.exp(powers[index]! - largest)
  for (let index = 0; index < powers.length; index++) powers[index]! /= sum
  return powers
}

/** Indices of `values`, largest value first, of equal ones the lower index. */
export function ranking(values: ArrayLike<number>): number[] {
  return Array.from(values, (_, index) => index).sort((a, b) => values[b]! - values[a]! || a - b)
}

/**
 * How many of the best classes a conformal set holds: classes are added, best first, until their probabilities
 * reach `threshold` (adaptive prediction sets without randomisation, Romano et al. 2020). At least 1.
 */
export function conformalSetSize(sorted: ArrayLike<number>, threshold: number): number {
  let sum = 0
  for (let size = 1; size <= sorted.length; size++) {
    sum += sorted[size - 1]!
    if (sum >= threshold) return size
  }
  return Math.max(1, sorted.length)
}

/**
 * The in-distribution score of a picture, in (0, 1]: the best probability of the mean softened by `temperature`, which is
 * at least 1. Above 1 it is the temperature scaling of ODIN (Liang et al. 2018, arXiv:1706.02690): softened, the other
 * classes count too, and an out-of-distribution picture raises many of them.
 */
export function inDistributionScore(mean: ArrayLike<number>, temperature: number): number {
  let best = 0
  for (const score of applyTemperature(mean, temperature)) best = Math.max(best, score)
  return best
}

/** What the answer of a model is made of, apart from its logits. */
export type AnswerRules = Pick<Manifest, 'labels' | 'calibration'>

/**
 * From the mean probability over the first `used` views, from 1 to all of the manifest, to an answer with at most
 * `topK` predictions. The order is that of the mean, which calibration keeps, so rounding in it cannot change a label.
 */
export function answer(mean: ArrayLike<number>, used: number, rules: AnswerRules, topK: number): Answer {
  const { temperature, conformal, abstention } = rules.calibration
  const scores = applyTemperature(mean, temperature[used - 1]!)
  const order = ranking(mean)
  const predictions = order.map((index) => ({ label: rules.labels[index]!, index, score: scores[index]! }))
  const size = conformal
    ? conformalSetSize(
        predictions.map(({ score }) => score),
        conformal.threshold[used - 1]!,
      )
    : 0
  return {
    predictions: predictions.slice(0, topK),
    set: predictions.slice(0, size).map(({ label }) => label),
    abstain: abstention !== null && inDistributionScore(mean, abstention.temperature) < abstention.threshold[used - 1]!,
  }
}
