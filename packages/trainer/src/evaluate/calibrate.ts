import { applyTemperature } from '@flowers/shared/calibration'
import type { Manifest } from '@flowers/shared/manifest'
import { argmax, mergeViews } from '@flowers/shared/views'
import type { ViewPolicy } from '@flowers/shared/views'
import { Random } from '../random.ts'
import { abstentionThreshold } from './abstention.ts'
import { expectedCalibrationError } from './calibration-error.ts'
import { conformalThreshold, setQuality } from './conformal.ts'
import { fitFastLead, stopAt } from './fast-lead.ts'
import type { PhotoViews } from './fast-lead.ts'
import { fitTemperature } from './temperature.ts'

export type Calibration = Manifest['calibration']

/** Bins of the calibration error that is reported. */
export const eceBins = 15

/** What is aimed at. The service promises no more than what is written into the manifest. */
const coverage = 0.95
const falseAlarmShare = 0.05
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

/** How the fitted values did on the photos they were not fitted on. Null where there is nothing to say. */
export interface CalibrationReport {
  /** Photos fitted on, and photos held out. */
  readonly fitted: number
  readonly heldOut: number
  readonly ece: { readonly before: number; readonly after: number; readonly bins: number }
  /** Share of conformal sets that hold the true label, and their mean number of labels. */
  readonly set: { readonly coverage: number; readonly size: number } | null
  /** Share of photos without an answer, of right answers lost, and accuracy of the answers that are given. */
  readonly abstention: { readonly share: number; readonly falseAlarms: number; readonly accuracy: number } | null
  /** Mean views used, and share of photos whose label differs from that of all views. */
  readonly exact: { readonly views: number; readonly disagreement: number }
  readonly fast: { readonly views: number; readonly disagreement: number } | null
}

/**
 * Fits everything that turns mean probabilities into calibrated answers on half of the photos, drawn by the seed, and
 * reports it on the other half. Thresholds are those of the policy `exact`. What too few photos cannot support is null
 * (a temperature: 1).
 */
export function calibrate(
  photos: readonly ScoredPhoto[],
  seed: number,
): { calibration: Calibration; report: CalibrationReport } {
  const shuffled = new Random(seed, 'calibration').shuffle([...photos])
  const half = Math.floor(shuffled.length / 2)
  const fit = shuffled.slice(0, half)
  const held = shuffled.slice(half)
  const calibration = fitCalibration(fit, photos[0]?.views.length ?? 1)
  return { calibration, report: describe(calibration, fit.length, held) }
}

function fitCalibration(photos: readonly ScoredPhoto[], of: number): Calibration {
  const labels = photos.map(({ label }) => label)
  const temperature = Array.from({ length: of }, (_, index) => {
    if (photos.length < fewestForTemperature) return 1
    return fitTemperature(
      photos.map(({ views }) => mergeViews(views.slice(0, index + 1))),
      labels,
    )
  })
  const fastLead = fitFastLead(
    photos.map(({ views }) => views),
    disagreement,
  )
  const answers = photos.map((photo) => answerOf(photo, 'exact', { temperature, fastLead }))
  const scores = answers.map((answer) => answer.scores)
  const threshold = conformalThreshold(scores, labels, coverage)
  const abstention = abstentionThreshold(answers.map(confidence), answers.map(isRight), falseAlarmShare)
  return {
    temperature,
    conformal: threshold === null ? null : { coverage, threshold, count: photos.length },
    abstention: abstention && { ...abstention, falseAlarmShare },
    fastLead,
  }
}

/** The best calibrated probability. */
export const confidence = ({ scores }: PolicyAnswer): number => scores[argmax(scores)] as number

export const isRight = ({ mean, label }: PolicyAnswer): boolean => argmax(mean) === label

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function describe(calibration: Calibration, fitted: number, held: readonly ScoredPhoto[]): CalibrationReport {
  const labels = held.map(({ label }) => label)
  const answers = held.map((photo) => answerOf(photo, 'exact', calibration))
  const right = answers.map(isRight)
  const full = held.map((photo) => argmax(stopAt(photo.views, 'full', null).mean))
  const policy = (name: ViewPolicy) => {
    const given = held.map((photo) => answerOf(photo, name, calibration))
    return {
      views: meanOf(given.map(({ used }) => used)),
      disagreement: meanOf(given.map(({ mean }, index) => Number(argmax(mean) !== full[index]))),
    }
  }
  const { conformal, abstention, fastLead } = calibration
  return {
    fitted,
    heldOut: held.length,
    ece: {
      before: expectedCalibrationError(
        answers.map(({ mean }) => mean[argmax(mean)] as number),
        right,
        eceBins,
      ),
      after: expectedCalibrationError(answers.map(confidence), right, eceBins),
      bins: eceBins,
    },
    set:
      conformal &&
      setQuality(
        answers.map(({ scores }) => scores),
        labels,
        conformal.threshold,
      ),
    abstention: abstention && abstentionQuality(answers, abstention.threshold),
    exact: policy('exact'),
    fast: fastLead && policy('fast'),
  }
}

/** What a threshold of the best calibrated probability does to answers. */
export function abstentionQuality(
  answers: readonly PolicyAnswer[],
  threshold: number,
): NonNullable<CalibrationReport['abstention']> {
  const given = answers.filter((answer) => confidence(answer) >= threshold)
  const right = answers.filter(isRight).length
  const rightGiven = given.filter(isRight).length
  return {
    share: 1 - given.length / answers.length,
    falseAlarms: right === 0 ? 0 : 1 - rightGiven / right,
    accuracy: given.length === 0 ? 0 : rightGiven / given.length,
  }
}
