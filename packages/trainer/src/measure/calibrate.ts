import { applyTemperature, inDistributionScore } from '@flowers/shared/model/calibration'
import type { Manifest } from '@flowers/shared/model/manifest'
import { argmax, mergeViews, type ViewPolicy } from '@flowers/shared/model/views'
import { abstentionThreshold } from './abstention.ts'
import { expectedCalibrationError, measureCalibrationError } from './calibration-error.ts'
import { clopperPearson, upperBound } from './binomial.ts'
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
const falseAlarmShare = 0.05
/** Softens the probability for abstention where that tells more pictures without a flower apart; see docs/models.md. */
const softer = 2
const disagreement = { target: 0.01, worst: 0.05 }

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
  const temperature = calibration.temperature?.[used - 1] ?? 1
  return { label: photo.label, scores: applyTemperature(mean, temperature), mean, used }
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
  /** Probabilities by the first view of pictures without a flower; abstention chooses its score by them. */
  readonly outOfDistribution?: readonly Scores[]
}

/**
 * Fits everything that turns mean probabilities into calibrated answers on photos that chose nothing, and measures it on
 * others: of 200 validation photos or more on the half that did not choose the checkpoint, measured on the half that did;
 * else on 100 out-of-fold answers or more, measured by halves of them that are fitted on by turns. Where there is neither,
 * nothing is fitted. Temperatures and thresholds are fitted for each number of views, on the first so many views of every
 * photo. So they hold for `none` and `full`; `exact` and `fast` choose the number by the photo, and what holds for them
 * is what is measured.
 */
export function calibrate(
  photos: readonly ScoredPhoto[],
  { seed, choosing, outOfFold = null, outOfDistribution = [] }: CalibrateOptions,
): { calibration: Calibration; quality: CalibrationQuality } {
  const of = photos[0]?.views.length ?? 1
  const fit = (fitting: readonly ScoredPhoto[]): Calibration => fitCalibration(fitting, of, outOfDistribution)
  const halves = calibrationHalves(photos, choosing, seed)
  if (halves) {
    const calibration = fit(halves.fit)
    const measured = describe(calibration, [{ calibration, photos: halves.held }])
    return { calibration, quality: { ...measured, fitted: halves.fit.length, networks: null } }
  }
  if (outOfFold && outOfFold.photos.length >= fewestToFit) {
    const { networks } = outOfFold
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

function fitCalibration(photos: readonly ScoredPhoto[], of: number, outOfDistribution: readonly Scores[]): Calibration {
  const labels = photos.map(({ label }) => label)
  const means = Array.from({ length: of }, (_, index) =>
    photos.map(({ views }) => mergeViews(views.slice(0, index + 1))),
  )
  const temperature = fitTemperatures(means, labels)
  const conformal = allOf(
    means.map((rows, index) => {
      const scores = rows.map((mean) => applyTemperature(mean, temperature?.[index] ?? 1))
      return conformalThreshold(scores, labels, coverage)
    }),
  )
  return {
    temperature,
    conformal: conformal && { coverage, threshold: conformal, count: photos.length },
    abstention: better(fitAbstention(means, labels, 1), fitAbstention(means, labels, softer), outOfDistribution),
    fastLead: fitFastMargin(
      photos.map(({ views }) => views),
      disagreement,
    ),
  }
}

type Abstention = NonNullable<Calibration['abstention']> | null

function fitAbstention(
  means: readonly (readonly Scores[])[],
  labels: readonly number[],
  temperature: number,
): Abstention {
  const fitted = allOf(
    means.map((rows) =>
      abstentionThreshold(
        rows.map((mean) => inDistributionScore(mean, temperature)),
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
 * The other one where it abstains from more of the out-of-distribution pictures than chance explains: surely more
 * than half of the pictures on which the two differ (the sign test, by the exact interval).
 */
function better(usual: Abstention, other: Abstention, outOfDistribution: readonly Scores[]): Abstention {
  const caught = (abstention: Abstention): boolean[] =>
    outOfDistribution.map((mean) => abstains({ mean, used: 1 }, { abstention }))
  const [byUsual, byOther] = [caught(usual), caught(other)]
  const gained = outOfDistribution.filter((_, index) => byOther[index] && !byUsual[index]).length
  const lost = outOfDistribution.filter((_, index) => byUsual[index] && !byOther[index]).length
  return gained + lost > 0 && clopperPearson(gained, gained + lost, level).low > 0.5 ? other : usual
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
      set:
        thresholds &&
        setsBy(
          given,
          given.map(({ used }, index) => thresholds[index]![used - 1]!),
        ),
      abstention: abstentionOf(given, calibration),
    }
  }
  return {
    heldOut: held.length,
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

/** How the conformal sets of answers did, with the exact interval. At least one answer. */
export const setsOf = (answers: readonly PolicyAnswer[], { conformal }: Calibration): PolicyQuality['set'] =>
  conformal &&
  setsBy(
    answers,
    answers.map(({ used }) => conformal.threshold[used - 1]!),
  )

function setsBy(answers: readonly PolicyAnswer[], thresholds: readonly number[]): NonNullable<PolicyQuality['set']> {
  const { covered, size } = setQuality(
    answers.map(({ scores }) => scores),
    answers.map(({ label }) => label),
    thresholds,
  )
  return { coverage: exactShare(covered, answers.length), size }
}

/** Whether the service would name no label. */
export function abstains(
  { mean, used }: { readonly mean: Scores; readonly used: number },
  { abstention }: Pick<Calibration, 'abstention'>,
): boolean {
  return !!abstention && inDistributionScore(mean, abstention.temperature) < abstention.threshold[used - 1]!
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
