import { applyTemperature, isRefused } from '@flowers/shared/model/calibration'
import type { Manifest } from '@flowers/shared/model/manifest'
import { argmax, mergeViews, type ViewPolicy } from '@flowers/shared/model/views'
import { expectedCalibrationError } from './calibration-error.ts'
import { clopperPearson, upperBound } from './binomial.ts'
import { level, type MeasuredShare } from './bootstrap.ts'
import { conformalThreshold, setQuality } from './conformal.ts'
import { fitFastMargin, stopAt, type PhotoViews } from './fast-margin.ts'
import { mean } from './mean.ts'
import { splitValidation } from './split-validation.ts'
import type { Scores } from './metrics.ts'
import { fitTemperature } from './temperature.ts'

export type Calibration = Manifest['calibration']

/** Bins of the calibration error that is reported. */
export const eceBins = 15

/** What is aimed at. The service promises no more than what is written into the manifest. */
const coverage = 0.95
const disagreement = { target: 0.01, worst: 0.05 }
/** With fewer photos a fitted temperature is mostly noise, and 1 stays. */
const fewestForTemperature = 50

/** One photo's probabilities by view, and its true class. */
export interface ScoredPhoto {
  readonly label: number
  readonly views: PhotoViews
  /** Output `known` of the plain view; null or absent where the network has none. */
  readonly known?: number | null
}

/** What a policy answers for a photo. */
export interface PolicyAnswer {
  readonly label: number
  /** Calibrated probabilities. */
  readonly scores: Float64Array
  /** Mean probability over the views used, before calibration. */
  readonly mean: Float64Array
  readonly used: number
  /** Of the photo. */
  readonly known?: number | null
}

/** The answer that the service would give under a policy, from a photo whose views are all known. */
export function answerOf(
  photo: ScoredPhoto,
  policy: ViewPolicy,
  calibration: Pick<Calibration, 'temperature' | 'fastLead'>,
): PolicyAnswer {
  const { mean, used } = stopAt(photo.views, policy, calibration.fastLead?.lead ?? null)
  const temperature = calibration.temperature?.[used - 1] ?? 1
  const { label, known = null } = photo
  return { label, scores: applyTemperature(mean, temperature), mean, used, known }
}

/** What the answers of one policy are like. Null where nothing was fitted. */
export interface PolicyQuality {
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

/** Expected calibration error before and after the temperature. */
export interface CalibrationErrors {
  readonly before: number
  readonly after: number
  readonly bins: number
}

/** How the fitted values did on the photos they were not fitted on. */
export interface CalibrationQuality {
  /** Photos fitted on, and photos held out. */
  readonly fitted: number
  readonly heldOut: number
  /** Of the policy `exact`. */
  readonly ece: CalibrationErrors
  /** With 95 % confidence sets hold the true label at least this often: what so many photos can promise. Null: no sets. */
  readonly promisedCoverage: number | null
  /** `fast` is null where it was not fitted. */
  readonly policies: Readonly<Record<Exclude<ViewPolicy, 'fast'>, PolicyQuality>> & {
    readonly fast: PolicyQuality | null
  }
}

/**
 * Fits everything that turns mean probabilities into calibrated answers on half of the photos, drawn by the seed, and
 * measures the result on the other half. Temperatures and thresholds are fitted for each number of views, on the first so many
 * views of every photo. So they hold for `none` and `full`; `exact` and `fast` choose the number by the photo, and what
 * holds for them is what is measured. What too few photos cannot support is null (a temperature: 1). Sets are fitted and
 * measured on the photos that are known: an answer that is refused has none to rely on.
 *
 * @param known what was fitted that refuses, by the `known` of the photos; null: nothing
 */
export function calibrate(
  photos: readonly ScoredPhoto[],
  seed: number,
  known: Calibration['known'] = null,
): { calibration: Calibration; quality: CalibrationQuality } {
  const { fit, held } = splitValidation(photos, seed)
  const calibration = fitCalibration(fit, photos[0]?.views.length ?? 1, known)
  return { calibration, quality: describe(calibration, fit.length, held) }
}

/** A temperature alone, for answers from one view: fitted as `calibrate` does on one half, its errors measured on the other. */
export function calibrateTemperature(
  answers: readonly Pick<PolicyAnswer, 'label' | 'mean'>[],
  seed: number,
): Pick<CalibrationQuality, 'fitted' | 'heldOut' | 'ece'> & { readonly temperature: number } {
  const { fit, held } = splitValidation(answers, seed)
  const temperature = temperatureOf(
    fit.map(({ mean }) => mean),
    fit.map(({ label }) => label),
  )
  const scored = held.map(({ label, mean }) => ({ label, mean, scores: applyTemperature(mean, temperature), used: 1 }))
  return { temperature, fitted: fit.length, heldOut: held.length, ece: calibrationErrors(scored) }
}

const temperatureOf = (rows: readonly Scores[], labels: readonly number[]): number =>
  rows.length < fewestForTemperature ? 1 : fitTemperature(rows, labels)

function fitCalibration(photos: readonly ScoredPhoto[], of: number, known: Calibration['known']): Calibration {
  const labels = photos.map(({ label }) => label)
  const means = Array.from({ length: of }, (_, index) =>
    photos.map(({ views }) => mergeViews(views.slice(0, index + 1))),
  )
  const temperature = means.map((rows) => temperatureOf(rows, labels))
  const kept = photos.flatMap((photo, index) => (known && (photo.known ?? 1) < known.threshold ? [] : [index]))
  const conformal = allOf(
    means.map((rows, index) => {
      const scores = kept.map((photo) => applyTemperature(rows[photo]!, temperature[index]!))
      return conformalThreshold(
        scores,
        kept.map((photo) => labels[photo]!),
        coverage,
      )
    }),
  )
  return {
    temperature,
    conformal: conformal && { coverage, threshold: conformal, count: kept.length },
    known,
    fastLead: fitFastMargin(
      photos.map(({ views }) => views),
      disagreement,
    ),
  }
}

/** The values, or null where one is missing. */
function allOf<T>(values: readonly (T | null)[]): T[] | null {
  const present = values.filter((value) => value !== null)
  return present.length === values.length ? present : null
}

const isRight = ({ mean, label }: PolicyAnswer): boolean => argmax(mean) === label

export function calibrationErrors(answers: readonly PolicyAnswer[]): CalibrationErrors {
  const right = answers.map(isRight)
  const error = (best: (answer: PolicyAnswer) => number): number =>
    expectedCalibrationError(answers.map(best), right, eceBins)
  return {
    before: error(({ mean }) => mean[argmax(mean)]!),
    after: error(({ scores }) => scores[argmax(scores)]!),
    bins: eceBins,
  }
}

/** Share of photos that the mean of their first k views answers rightly, k from 1. */
export const accuracyByViews = (photos: readonly ScoredPhoto[]): number[] =>
  Array.from(photos[0]?.views ?? [], (_, index) => {
    const right = photos.filter(({ views, label }) => argmax(mergeViews(views.slice(0, index + 1))) === label)
    return right.length / photos.length
  })

function describe(calibration: Calibration, fitted: number, held: readonly ScoredPhoto[]): CalibrationQuality {
  const exact = held.map((photo) => answerOf(photo, 'exact', calibration))
  const full = held.map((photo) => argmax(stopAt(photo.views, 'full', null).mean))
  const qualityOf = (policy: ViewPolicy): PolicyQuality => {
    const given = held.map((photo) => answerOf(photo, policy, calibration))
    return {
      views: mean(given.map(({ used }) => used)),
      disagreement: mean(given.map(({ mean }, index) => Number(argmax(mean) !== full[index]))),
      set: setsOf(given, calibration),
      abstention: abstentionOf(given, calibration),
    }
  }
  return {
    fitted,
    heldOut: held.length,
    ece: calibrationErrors(exact),
    promisedCoverage: calibration.conformal && promisedCoverage(calibration.conformal),
    policies: {
      full: qualityOf('full'),
      exact: qualityOf('exact'),
      fast: calibration.fastLead && qualityOf('fast'),
      none: qualityOf('none'),
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

/** How the conformal sets of the answers that are known did, with the exact interval. Null: no sets, or no such answer. */
export function setsOf(all: readonly PolicyAnswer[], calibration: Calibration): PolicyQuality['set'] {
  const { conformal } = calibration
  const answers = all.filter((answer) => !abstains(answer, calibration))
  if (!conformal || answers.length === 0) return null
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
  { mean, used, known = null }: Pick<PolicyAnswer, 'mean' | 'used' | 'known'>,
  calibration: Calibration,
): boolean {
  return isRefused({ mean, used, known }, calibration) === true
}

/** What abstention does to answers. */
export function abstentionOf(answers: readonly PolicyAnswer[], calibration: Calibration): AbstentionQuality | null {
  if (!calibration.known && !calibration.abstention) return null
  const given = answers.filter((answer) => !abstains(answer, calibration))
  const right = answers.filter(isRight).length
  const rightGiven = given.filter(isRight).length
  return {
    share: 1 - given.length / answers.length,
    falseAlarms: right === 0 ? 0 : 1 - rightGiven / right,
    accuracy: given.length === 0 ? 0 : rightGiven / given.length,
  }
}
