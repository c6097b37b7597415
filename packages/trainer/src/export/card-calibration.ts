import { markdownList, markdownTable } from '@flowers/shared/markdown'
import type { Manifest } from '@flowers/shared/model/manifest'
import { viewPolicies } from '@flowers/shared/model/views'
import type { CalibrationQuality, PolicyQuality } from '../measure/calibrate.ts'
import type { CalibratedRejector } from '../evaluate/calibrate-network.ts'
import { percent, withInterval } from '../console/format.ts'
import { refusalSection } from './card-refusals.ts'

/** What a calibration adds to the metrics of a manifest. */
export function calibrationMetrics(
  quality: Pick<CalibrationQuality, 'ece' | 'withdrawn'>,
  known: CalibratedRejector | null,
): Pick<Manifest['metrics'], 'ece' | 'refusals' | 'levels'> {
  const ece = quality.ece ?? quality.withdrawn
  if (!known) return { ece }
  const { none, sure, perhaps } = known.levels
  return { ece, refusals: known.refusals, levels: { none: none.share, sure: sure.share, perhaps: perhaps.share } }
}

/** What the section is made of. */
export interface CalibrationFacts extends Pick<Manifest, 'calibration' | 'views'> {
  readonly quality: CalibrationQuality
  /** Null: nothing is refused. */
  readonly known: CalibratedRejector | null
  /** Sentence on the photos; those of validation unless said. */
  readonly photos?: string
  /** Why nothing was fitted, where nothing was. */
  readonly why: string
}

const missing = (what: string): string => `${what}: not fitted, the photos are too few.`

const byViews = (values: readonly number[] | null): string => (values ?? []).map((value) => value.toFixed(3)).join(', ')

/** The section Calibration of a card. */
export function calibrationSection(facts: CalibrationFacts): string {
  const { calibration, quality, known } = facts
  const { temperature, conformal, fastLead } = calibration
  const items = [
    temperature ? `Temperature: ${byViews(temperature)}. ${errorItem(quality)}` : noTemperature(quality),
    conformal && quality.promisedCoverage !== null
      ? `Sets aim to hold the true label in ${percent(conformal.coverage)} of the photos that are not refused: classes are added, best first, until their probabilities reach ${byViews(conformal.threshold)}. From ${conformal.count} photos at least ${percent(quality.promisedCoverage)} can be promised with 95 % confidence.`
      : missing('Conformal sets'),
    '`exact` never changes the label of all views.',
    fastLead
      ? `\`fast\`: with 95 % confidence at most ${percent(fastLead.disagreementBound)} of photos get another label than by all views.`
      : missing('Views of `fast`'),
  ]
  return `## Calibration

${howFitted(facts)}

${markdownTable(
  columns,
  viewPolicies.flatMap((policy) => row(policy, quality.policies[policy])),
).join('\n')}

${markdownList(quality.fitted === 0 ? ['`exact` never changes the label of all views.'] : items)}

${refusalSection(calibration.known ?? null, known, quality.policies.exact.abstention)}`
}

function howFitted({ quality, photos, views, why }: CalibrationFacts): string {
  const { fitted, heldOut, networks } = quality
  if (fitted === 0)
    return `Not fitted: ${why}. Scores are those of the network, and nothing is claimed of how often they are right; there are no sets, and \`fast\` answers as \`exact\` does. Measured on ${heldOut} photos:`
  const order = `for each number of views (1 to ${views.length}, in this order below)`
  if (networks !== null)
    return `Fitted on out-of-fold answers of ${fitted} photos by ${networks} networks trained as this one, ${order}; measured by halves of them, each by what was fitted on the other, with exact 95 % intervals:`
  return `Fitted on ${fitted} ${photos ?? 'of the validation photos'}, ${order}; measured on the other ${heldOut}, with exact 95 % intervals:`
}

function noTemperature({ withdrawn, heldOut }: CalibrationQuality): string {
  if (!withdrawn) return missing('Temperature')
  return `Temperature: one was fitted, but the calibration error stayed at ${withInterval({ value: withdrawn.after, low: withdrawn.low, high: withdrawn.high })} on ${heldOut} photos, so it was withdrawn, and nothing is claimed of how often a score is right.`
}

/** What is said of the calibration error, which may be of too few photos. */
function errorItem({ ece, heldOut }: CalibrationQuality): string {
  if (!ece) return `The ${heldOut} photos that could measure its calibration error are too few.`
  const { before, after, low, high, bins } = ece
  return `Expected calibration error with \`exact\` (${bins} bins, ${heldOut} photos, 95 % interval by the bootstrap): ${percent(before)} before, ${withInterval({ value: after, low, high })} after.`
}

const columns = ['views', 'used', 'sets hold the true label', 'labels a set', 'another label than by all']

function row(policy: string, quality: PolicyQuality | null): string[][] {
  if (!quality) return []
  const { set } = quality
  return [
    [
      `\`${policy}\``,
      quality.views.toFixed(2),
      ...(set ? [withInterval(set.coverage), set.size.toFixed(2)] : ['-', '-']),
      percent(quality.disagreement),
    ],
  ]
}

/** A card with another section Calibration; where it has none, at the end. */
export function replaceCalibration(card: string, section: string): string {
  const found = /^## Calibration$/m.exec(card)
  if (!found) return `${card.trimEnd()}\n\n${section}\n`
  const next = card.slice(found.index + 1).search(/^## /m)
  const rest = next === -1 ? '' : `\n${card.slice(found.index + 1 + next)}`
  return `${card.slice(0, found.index)}${section}\n${rest}`
}
