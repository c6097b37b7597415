import { levels, type Level } from '@flowers/shared/model/calibration'
import { markdownList, markdownTable, markdownText } from '@flowers/shared/markdown'
import type { Manifest } from '@flowers/shared/model/manifest'
import { percent, plural, withInterval } from '../console/format.ts'
import type { CalibratedRejector } from '../evaluate/calibrate-network.ts'
import type { MeasuredShare } from '../measure/bootstrap.ts'
import type { AbstentionQuality } from '../measure/calibrate.ts'
import type { LevelQuality } from '../measure/levels.ts'
import { refusalConfidence } from '../measure/refusal-threshold.ts'
import { fewestToSplit } from '../measure/split-validation.ts'
import type { NearestRejector, Rejector, TrainedRejector } from '../measure/rejector.ts'

type Known = NonNullable<Manifest['calibration']['known']>

/** The part of a card that says what is refused as none of the classes, and how often. */
export function refusalSection(
  known: Known | null,
  fitted: CalibratedRejector | null,
  abstention: AbstentionQuality | null,
): string {
  if (known === null || fitted === null) {
    return `### What is none of the classes

Nothing is refused: every picture gets one of the labels, whatever it shows. To refuse takes at least ${fewestToSplit} photos of the classes that the network has not learnt from (the split \`valid\`), more of them to refuse less than 1 % of such photos, and some of every class that it has (the split \`train\`); photos of others make up for neither.`
  }
  const { refusals, rejector, weakKinds } = fitted
  const { own, others, drawn, ece } = refusals
  const row = (what: string, share: MeasuredShare): string[] => [what, withInterval(share), String(share.count)]
  const items = [
    `A picture is refused when \`known\`, an output of the network for the plain view, is below ${Number(known.threshold.toPrecision(5))}. The threshold was set on ${known.count} photos so that, with a confidence of ${percent(refusalConfidence)}, at most ${percent(known.refusedShare)} of photos of the classes are refused.`,
    ...about(rejector, fitted),
    ...(fitted.others.unreadable === 0
      ? []
      : [`${plural(fitted.others.unreadable, 'photo')} of others could not be read, and had no part in this.`]),
    ...(ece === null || !known.isCalibrated
      ? [
          `\`known\` is not calibrated${ece === null ? '' : ` (its calibration error is ${percent(ece)})`}: it orders pictures, and is no probability.`,
        ]
      : [
          `\`known\` is the share of photos of the classes among pictures that score so, were there as many of these as of others. Its calibration error is ${percent(ece)}, on photos it was not fitted on.`,
        ]),
    `Of answers to photos of the classes, held back: ${levels.map((level) => levelItem(level, fitted.levels[level])).join(', ')}.`,
    ...(abstention
      ? [
          `Of the right answers to photos of the classes ${percent(abstention.falseAlarms)} are lost; of the answers that are given ${percent(abstention.accuracy)} are right.`,
        ]
      : []),
    ...(weakKinds.length === 0
      ? []
      : [
          `Drawn pictures that are refused less often than others: ${weakKinds.map(({ kind, share }) => `${kind} ${percent(share)}`).join(', ')}.`,
        ]),
  ]
  return `### What is none of the classes

${markdownTable(
  ['pictures', 'refused', 'of'],
  [
    row('photos of the classes, held back', own),
    ...Object.entries(others).map(([group, share]) => row(`others: ${markdownText(group)}`, share)),
    row('drawn pictures without a flower', drawn),
  ],
).join('\n')}

${markdownList(items)}`
}

/** Sentences on how each form of rejector came about, and what of the photos it holds. */
const sentences: {
  readonly [form in Rejector['form']]: (
    rejector: Extract<Rejector, { form: form }>,
    fitted: CalibratedRejector,
  ) => string[]
} = {
  trained: (_: TrainedRejector, { others }) => [
    `It was fitted to training photos against ${plural(others.photos, 'photo')} of others and drawn pictures of the same kinds as those above; the file holds one vector of weights of all of them, and no photo. Each photo of others is counted above by weights that were fitted without its species; photos of a folder of mixed things count as a species each.`,
  ],
  nearest: ({ perClass, directions }: NearestRejector, { others }) => [
    `It holds a picture against feature vectors of training photos: ${perClass} of each class, ${directions.rows} numbers each, are part of the file. ${others.photos === 0 ? 'No photos of others were given' : `The ${plural(others.photos, 'photo')} of others ${others.photos === 1 ? 'was' : 'were'} too few to tell more than that`}; with more of them (\`calibrate --others\`) more is refused, and no feature vectors are kept.`,
  ],
}

function levelItem(level: Level, { share, accuracy }: LevelQuality): string {
  const right = level === 'none' || accuracy === null ? '' : `, of which ${withInterval(accuracy)} are right`
  return `${withInterval(share)} have the level \`${level}\`${right}`
}

function about(rejector: Rejector, fitted: CalibratedRejector): string[] {
  return rejector.form === 'trained' ? sentences.trained(rejector, fitted) : sentences.nearest(rejector, fitted)
}
