import type { Manifest } from './manifest.ts'

/** One class of an answer. `score` is its calibrated probability in [0, 1]. */
interface Prediction {
  readonly label: string
  readonly index: number
  readonly score: number
}

/**
 * How far an answer can be relied on. `none`: the picture is refused as none of the classes; `sure`: it is known, and the
 * conformal set has one label; `perhaps`: the rest, and whatever a model answers that has not fitted both.
 */
export const levels = ['none', 'sure', 'perhaps'] as const
export type Level = (typeof levels)[number]

export interface Answer {
  /** Best first; of equal ones the lower index first. */
  readonly predictions: Prediction[]
  /** Whether scores are calibrated: a temperature was fitted. */
  readonly calibrated: boolean
  /** Conformal set: labels that together hold the true one with the fitted coverage. Null when it was not fitted. */
  readonly set: string[] | null
  /** Probability in [0, 1] that the picture shows one of the classes, at even odds. Null when it was not fitted. */
  readonly known: number | null
  readonly level: Level
  /** Where level is `perhaps`: the group of the best label, if labels of that group together reach the conformal threshold. */
  readonly group: string | null
  /** Whether level is `none`. */
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

/** What the answer of a model is made of, apart from its outputs. */
export interface AnswerRules extends Pick<Manifest, 'calibration'> {
  readonly labels: readonly string[]
  /** Label to the group it belongs to, as `tulip` of sorts of tulips. */
  readonly groups?: ReadonlyMap<string, string> | undefined
}

/** What a network says of a picture. */
export interface Outputs {
  /** Mean probability over the views used. */
  readonly mean: ArrayLike<number>
  /** Number of views used, from 1 to all of the manifest. */
  readonly used: number
  /** Output `known` of the plain view; null: the network has none. */
  readonly known: number | null
}

/** Whether a picture is refused as none of the classes. Null: nothing was fitted that could tell. */
export function isRefused({ mean, used, known }: Outputs, calibration: Manifest['calibration']): boolean | null {
  if (calibration.known) return known === null ? null : known < calibration.known.threshold
  const { abstention } = calibration
  return abstention ? inDistributionScore(mean, abstention.temperature) < abstention.threshold[used - 1]! : null
}

/**
 * From outputs of a network to an answer with at most `topK` predictions. The order is that of the mean, which calibration
 * keeps, so rounding in it cannot change a label.
 */
export function answer(outputs: Outputs, rules: AnswerRules, topK: number): Answer {
  const { mean, used, known } = outputs
  const { labels, calibration } = rules
  const scores = applyTemperature(mean, calibration.temperature?.[used - 1] ?? 1)
  const predictions = ranking(mean).map((index) => ({ label: labels[index]!, index, score: scores[index]! }))
  const least = calibration.conformal?.threshold[used - 1] ?? null
  const sorted = predictions.map(({ score }) => score)
  const set = least === null ? null : predictions.slice(0, conformalSetSize(sorted, least)).map(({ label }) => label)
  const refused = isRefused(outputs, calibration)
  const level = refused === true ? 'none' : refused === false && set?.length === 1 ? 'sure' : 'perhaps'
  return {
    predictions: predictions.slice(0, topK),
    calibrated: calibration.temperature !== null,
    set,
    known: calibration.known?.isCalibrated ? known : null,
    level,
    group: level === 'perhaps' && least !== null ? groupOf(predictions, rules.groups, least) : null,
    abstain: level === 'none',
  }
}

/** The group of the best label if its labels together reach `least`. */
function groupOf(predictions: readonly Prediction[], groups: AnswerRules['groups'], least: number): string | null {
  const group = groups?.get(predictions[0]!.label)
  if (group === undefined) return null
  const sum = predictions.reduce((total, { label, score }) => total + (groups?.get(label) === group ? score : 0), 0)
  return sum >= least ? group : null
}
