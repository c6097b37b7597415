import { applyTemperature, isRefused } from '@flowers/shared/model/calibration'
import type { Manifest } from '@flowers/shared/model/manifest'
import { argmax, mergeViews, type ViewPolicy } from '@flowers/shared/model/views'
import { expectedCalibrationError, measureCalibrationError, mostError } from './calibration-error.ts'
import { upperBound } from './binomial.ts'
import { exactShare, level, type MeasuredShare } from './bootstrap.ts'
import { conformalThreshold, setQuality } from './conformal.ts'
import { fitFastMargin, stopAt, type PhotoViews } from './fast-margin.ts'
import { mean } from './mean.ts'
import { calibrationHalves, fewestToFit, splitValidation, type Choosing } from './split-validation.ts'
import type { Scores } from './metrics.ts'
import { fitTemperature } from './temperature.ts'

export type Calibration = Manifest['calibration']

/** Bins of the calibration error that is reported. */
export const eceBins = 15

/** What is aimed at. The service promises no more than what is written into the manifest. */
const coverage = 0.95
const disagreement = { target: 0.01, worst: 0.05 }

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

/** Expected calibration error before and after the temperature; `low` and `high`: the 95 % interval of the one after. */
export interface CalibrationErrors {
  readonly before: number
  readonly after: number
  readonly low: number
  readonly high: number
  readonly bins: number
}

/** How the fitted values did on the photos they were not fitted on. */
export interface CalibrationQuality {
  /** Photos fitted on: 0 where nothing is fitted. */
  readonly fitted: number
  /** Photos that measured it. */
  readonly heldOut: number
  /** Networks whose out-of-fold answers were fitted on, and measured by halves; null: validation photos were. */
  readonly networks: number | null
  /** Of the policy `exact`; null where no temperature is fitted, or under 100 photos measure it. */
  readonly ece: CalibrationErrors | null
  /** What the error was with temperatures that were withdrawn for it; null: none were. */
  readonly withdrawn: CalibrationErrors | null
  /** With 95 % confidence sets hold the true label at least this often: what so many photos can promise. Null: no sets. */
  readonly promisedCoverage: number | null
  /** `fast` is null where it was not fitted. */
  readonly policies: Readonly<Record<Exclude<ViewPolicy, 'fast'>, PolicyQuality>> & {
    readonly fast: PolicyQuality | null
  }
}

/** What networks that were trained as this one say of training photos, each of those that it did not learn from. */
export interface OutOfFold {
  readonly networks: number
  readonly photos: readonly ScoredPhoto[]
}

export interface CalibrateOptions {
  readonly seed: number
  /** Which of the photos chose the checkpoint: nothing is fitted on those. */
  readonly choosing: Choosing
  /** Fitted on where the photos that chose nothing are too few. */
  readonly outOfFold?: OutOfFold | null
  /** What was fitted that refuses, by the `known` of the photos; null: nothing. */
  readonly known?: Calibration['known']
}

/**
 * Fits everything that turns mean probabilities into calibrated answers on photos that chose nothing, and measures it on
 * others: of 200 validation photos or more on the half that did not choose the checkpoint, measured on the half that did;
 * else on 100 out-of-fold answers or more, measured by halves of them that are fitted on by turns. Where there is neither,
 * nothing is fitted. Temperatures and thresholds are fitted for each number of views, on the first so many views of every
 * photo. So they hold for `none` and `full`; `exact` and `fast` choose the number by the photo, and what holds for them
 * is what is measured. Sets are fitted and measured on the photos that are known: an answer that is refused has none to
 * rely on. Temperatures that leave an error that is surely above {@link mostError} are withdrawn: the scores are then not
 * called calibrated.
 */
export function calibrate(
  photos: readonly ScoredPhoto[],
  options: CalibrateOptions,
): { calibration: Calibration; quality: CalibrationQuality } {
  const fitted = calibrateBy(photos, options, fitTemperatures)
  const { ece } = fitted.quality
  if (!ece || ece.low <= mostError) return fitted
  const { calibration, quality } = calibrateBy(photos, options, () => null)
  return { calibration, quality: { ...quality, withdrawn: ece } }
}

type FitTemperatures = typeof fitTemperatures | (() => null)

function calibrateBy(
  photos: readonly ScoredPhoto[],
  { seed, choosing, outOfFold = null, known = null }: CalibrateOptions,
  temperatures: FitTemperatures,
): { calibration: Calibration; quality: CalibrationQuality } {
  const of = photos[0]?.views.length ?? 1
  const fit = (fitting: readonly ScoredPhoto[]): Calibration => fitCalibration(fitting, of, known, temperatures)
  const halves = calibrationHalves(photos, choosing, seed)
  if (halves) {
    const calibration = fit(halves.fit)
    const measured = describe(calibration, [{ calibration, photos: halves.held }])
    return { calibration, quality: { ...measured, fitted: halves.fit.length, networks: null } }
  }
  if (outOfFold && outOfFold.photos.length >= fewestToFit) {
    const { networks } = outOfFold
    // What refuses is of this network, and never fitted on answers of others.
    const calibration = { ...fit(outOfFold.photos), networks }
    const { fit: one, held: other } = splitValidation(outOfFold.photos, seed)
    const measured = describe(calibration, [
      { calibration: fit(one), photos: other },
      { calibration: fit(other), photos: one },
    ])
    return { calibration, quality: { ...measured, fitted: outOfFold.photos.length, networks } }
  }
  const measured = describe(unfitted, [{ calibration: unfitted, photos }])
  return { calibration: unfitted, quality: { ...measured, fitted: 0, networks: null } }
}

/** What a model is that claims nothing of its probabilities. */
const unfitted: Calibration = { temperature: null, conformal: null, known: null, fastLead: null }

/** A temperature alone, for answers from one view: fitted as `calibrate` does on one half, its errors measured on the other. */
export function calibrateTemperature(
  answers: readonly Pick<PolicyAnswer, 'label' | 'mean'>[],
  { seed, choosing }: Pick<CalibrateOptions, 'seed' | 'choosing'>,
): { temperature: number; fitted: number; heldOut: number; ece: CalibrationErrors } | null {
  const halves = calibrationHalves(answers, choosing, seed)
  if (!halves) return null
  const { fit, held } = halves
  const temperature = fitTemperature(
    fit.map(({ mean }) => mean),
    fit.map(({ label }) => label),
  )
  if (temperature === null) return null
  const scored = held.map(({ label, mean }) => ({ label, mean, scores: applyTemperature(mean, temperature), used: 1 }))
  const ece = calibrationErrors(scored)
  return ece && { temperature, fitted: fit.length, heldOut: held.length, ece }
}

/**
 * Temperatures by the number of views. Where all photos are right by so many, none is best, and that of fewer views
 * stays, which is rather too modest; null where none is best by any number.
 */
function fitTemperatures(means: readonly (readonly Scores[])[], labels: readonly number[]): number[] | null {
  const fitted = means.map((rows) => fitTemperature(rows, labels))
  const known = fitted.filter((temperature) => temperature !== null)
  if (known.length === 0) return null
  return fitted.map((own, place) => own ?? fitted.slice(0, place).findLast((before) => before !== null) ?? known[0]!)
}

function fitCalibration(
  photos: readonly ScoredPhoto[],
  of: number,
  known: Calibration['known'],
  temperatures: FitTemperatures,
): Calibration {
  const labels = photos.map(({ label }) => label)
  const means = Array.from({ length: of }, (_, index) =>
    photos.map(({ views }) => mergeViews(views.slice(0, index + 1))),
  )
  const temperature = temperatures(means, labels)
  const kept = photos.flatMap((photo, index) => (known && (photo.known ?? 1) < known.threshold ? [] : [index]))
  const conformal = allOf(
    means.map((rows, index) => {
      const scores = kept.map((photo) => applyTemperature(rows[photo]!, temperature?.[index] ?? 1))
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

/** Calibration errors of answers; null of under 100, which say too little. */
export function calibrationErrors(answers: readonly PolicyAnswer[]): CalibrationErrors | null {
  if (answers.length < fewestToFit) return null
  const right = answers.map(isRight)
  const confidence = (scores: Float64Array): number => scores[argmax(scores)]!
  const { value, low, high } = measureCalibrationError(
    answers.map(({ scores }) => confidence(scores)),
    right,
    eceBins,
  )
  return {
    before: expectedCalibrationError(
      answers.map(({ mean }) => confidence(mean)),
      right,
      eceBins,
    ),
    after: value,
    low,
    high,
    bins: eceBins,
  }
}

/** Share of photos that the mean of their first k views answers rightly, k from 1. */
export const accuracyByViews = (photos: readonly ScoredPhoto[]): number[] =>
  Array.from(photos[0]?.views ?? [], (_, index) => {
    const right = photos.filter(({ views, label }) => argmax(mergeViews(views.slice(0, index + 1))) === label)
    return right.length / photos.length
  })

/** Photos, and a calibration that was not fitted on them. */
interface Measuring {
  readonly calibration: Calibration
  readonly photos: readonly ScoredPhoto[]
}

function describe(
  calibration: Calibration,
  parts: readonly Measuring[],
): Omit<CalibrationQuality, 'fitted' | 'networks'> {
  const held = parts.flatMap(({ photos }) => photos)
  const full = held.map((photo) => argmax(stopAt(photo.views, 'full', null).mean))
  const answersBy = (policy: ViewPolicy): PolicyAnswer[] =>
    parts.flatMap(({ photos, calibration: own }) => photos.map((photo) => answerOf(photo, policy, own)))
  const thresholds = allOf(
    parts.flatMap(({ photos, calibration: own }) => photos.map(() => own.conformal?.threshold ?? null)),
  )
  const qualityOf = (policy: ViewPolicy): PolicyQuality => {
    const given = answersBy(policy)
    return {
      views: mean(given.map(({ used }) => used)),
      disagreement: mean(given.map(({ mean }, index) => Number(argmax(mean) !== full[index]))),
      set: thresholds && setsOfKnown(given, (answer, index) => thresholds[index]![answer.used - 1]!, calibration),
      abstention: abstentionOf(given, calibration),
    }
  }
  return {
    heldOut: held.length,
    withdrawn: null,
    ece: calibration.temperature && calibrationErrors(answersBy('exact')),
    promisedCoverage: calibration.conformal && promisedCoverage(calibration.conformal),
    policies: {
      full: qualityOf('full'),
      exact: qualityOf('exact'),
      fast: parts.every(({ calibration: own }) => own.fastLead) ? qualityOf('fast') : null,
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
  return conformal && setsOfKnown(all, ({ used }) => conformal.threshold[used - 1]!, calibration)
}

function setsOfKnown(
  all: readonly PolicyAnswer[],
  thresholdOf: (answer: PolicyAnswer, index: number) => number,
  calibration: Calibration,
): PolicyQuality['set'] {
  const places = [...all.keys()].filter((place) => !abstains(all[place]!, calibration))
  if (places.length === 0) return null
  const answers = places.map((place) => all[place]!)
  const thresholds = places.map((place) => thresholdOf(all[place]!, place))
  const { covered, size } = setQuality(
    answers.map(({ scores }) => scores),
    answers.map(({ label }) => label),
    thresholds,
  )
  return { coverage: exactShare(covered, answers.length), size }
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
