import { applyTemperature, likeness } from '@flowers/shared/model/calibration'
import type { Manifest } from '@flowers/shared/model/manifest'
import { argmax, mergeViews } from '@flowers/shared/model/views'
import type { ViewPolicy } from '@flowers/shared/model/views'
import { abstentionThreshold } from './abstention.ts'
import { expectedCalibrationError } from './calibration-error.ts'
import { clopperPearson, upperBound } from './binomial.ts'
import { level } from './bootstrap.ts'
import type { MeasuredShare } from './bootstrap.ts'
import { conformalThreshold, setQuality } from './conformal.ts'
import { fitFastMargin, stopAt } from './fast-margin.ts'
import { splitValidation } from './split-validation.ts'
import type { PhotoViews } from './fast-margin.ts'
import type { Scores } from './metrics.ts'
import { fitTemperature } from './temperature.ts'

export type Calibration = Manifest['calibration']

/** Bins of the calibration error that is reported. */
export const eceBins = 15

/** What is aimed at. The service promises no more than what is written into the manifest. */
const coverage = 0.95
const falseAlarmShare = 0.05
/** Softens the probability for abstention where that tells more pictures without a flower apart; see docs/models.md. */
const softer = 2
const disagreement = { target: 0.01, worst: 0.05 }
/** With fewer photos a fitted temperature is mostly noise, and 1 stays. */
const fewestForTemperature = 50

/** One photo's probabilities by view, and its true class. */
export interface ScoredPhoto {
  readonly label: number
  readonly views: PhotoViews
}

/** What a policy answers for a photo. */
export interface PolicyAnswer {
  readonly label: number
  /** Calibrated probabilities. */
  readonly scores: Float64Array
  /** Mean probability over the views used, before calibration. */
  readonly mean: Float64Array
  readonly used: number
}

/** The answer that the service would give under a policy, from a photo whose views are all known. */
export function answerOf(
  photo: ScoredPhoto,
  policy: ViewPolicy,
  calibration: Pick<Calibration, 'temperature' | 'fastLead'>,
): PolicyAnswer {
  const { mean, used } = stopAt(photo.views, policy, calibration.fastLead?.lead ?? null)
  const temperature = calibration.temperature[used - 1] ?? 1
  return { label: photo.label, scores: applyTemperature(mean, temperature), mean, used }
}

/** What the answers of one policy are like. Null where nothing was fitted. */
export interface PolicyReport {
  /** Mean views used, and share of photos whose label differs from that of all views. */
  readonly views: number
  readonly disagreement: number
  /** Share of conformal sets that hold the true label, and their mean number of labels. */
  readonly set: { readonly coverage: MeasuredShare; readonly size: number } | null
  readonly abstention: AbstentionQuality | null
}

/** Share of photos without an answer, of right answers lost, and accuracy of the answers that are given. */
export interface AbstentionQuality {
  readonly share: number
  readonly falseAlarms: number
  readonly accuracy: number
}

/** How the fitted values did on the photos they were not fitted on. */
export interface CalibrationReport {
  /** Photos fitted on, and photos held out. */
  readonly fitted: number
  readonly heldOut: number
  /** Of the policy `exact`. */
  readonly ece: { readonly before: number; readonly after: number; readonly bins: number }
  /** With 95 % confidence sets hold the true label at least this often: what so many photos can promise. Null: no sets. */
  readonly promisedCoverage: number | null
  /** `fast` is null where it was not fitted. */
  readonly policies: Readonly<Record<Exclude<ViewPolicy, 'fast'>, PolicyReport>> & {
    readonly fast: PolicyReport | null
  }
}

/**
 * Fits everything that turns mean probabilities into calibrated answers on half of the photos, drawn by the seed, and
 * reports it on the other half. Temperatures and thresholds are fitted for each number of views, on the first so many
 * views of every photo. So they hold for `none` and `full`; `exact` and `fast` choose the number by the photo, and what
 * holds for them is what is measured. What too few photos cannot support is null (a temperature: 1).
 *
 * @param strange probabilities by the first view of pictures without a flower, by which abstention chooses its score
 */
export function calibrate(
  photos: readonly ScoredPhoto[],
  seed: number,
  strange: readonly Scores[] = [],
): { calibration: Calibration; report: CalibrationReport } {
  const { fit, held } = splitValidation(photos, seed)
  const calibration = fitCalibration(fit, photos[0]?.views.length ?? 1, strange)
  return { calibration, report: describe(calibration, fit.length, held) }
}

function fitCalibration(photos: readonly ScoredPhoto[], of: number, strange: readonly Scores[]): Calibration {
  const labels = photos.map(({ label }) => label)
  const means = Array.from({ length: of }, (_, index) =>
    photos.map(({ views }) => mergeViews(views.slice(0, index + 1))),
  )
  const temperature = means.map((rows) => (photos.length < fewestForTemperature ? 1 : fitTemperature(rows, labels)))
  const conformal = allOf(
    means.map((rows, index) => {
      const scores = rows.map((mean) => applyTemperature(mean, temperature[index]!))
      return conformalThreshold(scores, labels, coverage)
    }),
  )
  return {
    temperature,
    conformal: conformal && { coverage, threshold: conformal, count: photos.length },
    abstention: better(fitAbstention(means, labels, 1), fitAbstention(means, labels, softer), strange),
    fastLead: fitFastMargin(
      photos.map(({ views }) => views),
      disagreement,
    ),
  }
}

type Abstention = Calibration['abstention']

function fitAbstention(
  means: readonly (readonly Scores[])[],
  labels: readonly number[],
  temperature: number,
): Abstention {
  const fitted = allOf(
    means.map((rows) =>
      abstentionThreshold(
        rows.map((mean) => likeness(mean, temperature)),
        rows.map((mean, photo) => argmax(mean) === labels[photo]),
        falseAlarmShare,
      ),
    ),
  )
  return (
    fitted && {
      temperature,
      threshold: fitted.map(({ threshold }) => threshold),
      falseAlarmShare,
      count: Math.min(...fitted.map(({ count }) => count)),
    }
  )
}

/**
 * The other one where it abstains from more of the strange pictures than chance explains: of the pictures on which the
 * two differ, surely more than half (the sign test, by the exact interval).
 */
function better(usual: Abstention, other: Abstention, strange: readonly Scores[]): Abstention {
  const caught = (abstention: Abstention): boolean[] =>
    strange.map((mean) => abstains({ mean, used: 1 }, { abstention }))
  const [byUsual, byOther] = [caught(usual), caught(other)]
  const gained = strange.filter((_, index) => byOther[index] && !byUsual[index]).length
  const lost = strange.filter((_, index) => byUsual[index] && !byOther[index]).length
  return gained + lost > 0 && clopperPearson(gained, gained + lost, level).low > 0.5 ? other : usual
}

/** The values, or null where one is missing. */
function allOf<T>(values: readonly (T | null)[]): T[] | null {
  const present = values.filter((value) => value !== null)
  return present.length === values.length ? present : null
}

/** The best calibrated probability. */
export const confidence = ({ scores }: PolicyAnswer): number => scores[argmax(scores)] as number

export const isRight = ({ mean, label }: PolicyAnswer): boolean => argmax(mean) === label

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function describe(calibration: Calibration, fitted: number, held: readonly ScoredPhoto[]): CalibrationReport {
  const exact = held.map((photo) => answerOf(photo, 'exact', calibration))
  const right = exact.map(isRight)
  const full = held.map((photo) => argmax(stopAt(photo.views, 'full', null).mean))
  const report = (policy: ViewPolicy): PolicyReport => {
    const given = held.map((photo) => answerOf(photo, policy, calibration))
    return {
      views: meanOf(given.map(({ used }) => used)),
      disagreement: meanOf(given.map(({ mean }, index) => Number(argmax(mean) !== full[index]))),
      set: setsOf(given, calibration),
      abstention: abstentionOf(given, calibration),
    }
  }
  return {
    fitted,
    heldOut: held.length,
    ece: {
      before: expectedCalibrationError(
        exact.map(({ mean }) => mean[argmax(mean)] as number),
        right,
        eceBins,
      ),
      after: expectedCalibrationError(exact.map(confidence), right, eceBins),
      bins: eceBins,
    },
    promisedCoverage: calibration.conformal && promisedCoverage(calibration.conformal),
    policies: {
      full: report('full'),
      exact: report('exact'),
      fast: calibration.fastLead && report('fast'),
      none: report('none'),
    },
  }
}

/**
 * The coverage of sets whose threshold is the k-th smallest of n sums is a draw from Beta(k, n + 1 - k) (Vovk 2012); with
 * 95 % confidence it is at least this, the exact binomial bound for n - k photos out of n that the sets may miss.
 */
function promisedCoverage({ coverage: aim, count }: NonNullable<Calibration['conformal']>): number {
  const position = Math.ceil((count + 1) * aim - 1e-9)
  return 1 - upperBound(count - position, count, level)
}

/** How the conformal sets of answers did, with the exact interval. At least one answer. */
export function setsOf(answers: readonly PolicyAnswer[], { conformal }: Calibration): PolicyReport['set'] {
  if (!conformal) return null
  const { covered, size } = setQuality(
    answers.map(({ scores }) => scores),
    answers.map(({ label }) => label),
    answers.map(({ used }) => conformal.threshold[used - 1]!),
  )
  const count = answers.length
  return { coverage: { value: covered / count, ...clopperPearson(covered, count, level), count }, size }
}

/** Whether the service would name no label. */
export function abstains(
  { mean, used }: { readonly mean: Scores; readonly used: number },
  { abstention }: Pick<Calibration, 'abstention'>,
): boolean {
  return abstention !== null && likeness(mean, abstention.temperature) < abstention.threshold[used - 1]!
}

/** What abstention does to answers. */
export function abstentionOf(answers: readonly PolicyAnswer[], calibration: Calibration): AbstentionQuality | null {
  if (!calibration.abstention) return null
  const given = answers.filter((answer) => !abstains(answer, calibration))
  const right = answers.filter(isRight).length
  const rightGiven = given.filter(isRight).length
  return {
    share: 1 - given.length / answers.length,
    falseAlarms: right === 0 ? 0 : 1 - rightGiven / right,
    accuracy: given.length === 0 ? 0 : rightGiven / given.length,
  }
}
