import { markdownList, markdownTable } from '@flowers/shared/markdown'
import type { Manifest } from '@flowers/shared/model/manifest'
import { viewPolicies } from '@flowers/shared/model/views'
import type { CalibrationQuality, PolicyQuality } from '../measure/calibrate.ts'
import { withInterval } from '../evaluate/evaluation-table.ts'
import type { CalibratedRejector } from '../evaluate/calibrate-network.ts'
import { percent } from '../console/format.ts'
import { refusalSection } from './card-refusals.ts'

/** What a calibration adds to the metrics of a manifest. */
export function calibrationMetrics(
  { ece }: Pick<CalibrationQuality, 'ece'>,
  known: CalibratedRejector | null,
): Pick<Manifest['metrics'], 'ece' | 'refusals'> {
  return { ece, ...(known && { refusals: known.refusals }) }
}

/** What the section is made of. */
export interface CalibrationFacts extends Pick<Manifest, 'calibration' | 'views'> {
  readonly quality: CalibrationQuality
  /** Null: nothing is refused. */
  readonly known: CalibratedRejector | null
  /** Sentence on the photos; those of validation unless said. */
  readonly photos?: string
}

const byViews = (values: readonly number[] | null): string => (values ?? []).map((value) => value.toFixed(3)).join(', ')

/** The section Calibration of a card. */
export function calibrationSection({ calibration, views, quality, known, photos }: CalibrationFacts): string {
  const { temperature, conformal, fastLead } = calibration
  const missing = (what: string): string => `${what}: not fitted, the photos are too few.`
  const items = [
    `Temperature: ${byViews(temperature)}. Expected calibration error with \`exact\` (${quality.ece.bins} bins): ${percent(quality.ece.before)} before, ${percent(quality.ece.after)} after.`,
    conformal && quality.promisedCoverage !== null
      ? `Sets aim to hold the true label in ${percent(conformal.coverage)} of the photos that are not refused: classes are added, best first, until their probabilities reach ${byViews(conformal.threshold)}. From ${conformal.count} photos at least ${percent(quality.promisedCoverage)} can be promised with 95 % confidence.`
      : missing('Conformal sets'),
    '`exact` never changes the label of all views.',
    fastLead
      ? `\`fast\`: with 95 % confidence at most ${percent(fastLead.disagreementBound)} of photos get another label than by all views.`
      : missing('Views of `fast`'),
  ]
  return `## Calibration

Fitted on ${quality.fitted} ${photos ?? 'of the validation photos'}, for each number of views (1 to ${views.length}, in this order below); measured on the other ${quality.heldOut}, with exact 95 % intervals:

${markdownTable(
  columns,
  viewPolicies.flatMap((policy) => row(policy, quality.policies[policy])),
).join('\n')}

${markdownList(items)}

${refusalSection(calibration.known ?? null, known, quality.policies.exact.abstention)}`
}

const columns = [
  'views',
  'used',
  'sets hold the true label',
  'labels a set',
  'another label than by all',
]

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
