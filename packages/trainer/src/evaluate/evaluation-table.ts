import { percent, plural, withInterval } from '../console/format.ts'
import { oneLine } from '@flowers/shared/printable'
import { exactShare } from '../measure/bootstrap.ts'
import type { LevelQuality } from '../measure/levels.ts'
import { shotNames, shotRanges } from '../measure/shots.ts'
import type { Evaluation } from './evaluate-model.ts'

/** A sentence on photos that a run left out, of which there are some. */
export const leftOut = (photos: number): string =>
  photos === 1
    ? 'The photo that the run left out is left out here as well.'
    : `The ${photos} photos that the run left out are left out here as well.`

/** An evaluation as text for a terminal. */
export function evaluationTable(evaluation: Evaluation): string {
  const { model, data, views, set, abstention, levels } = evaluation
  const rows: [string, string][] = [
    ['top-1', `${withInterval(evaluation.top1)} of ${plural(data.photos, 'photo')}`],
    ['top-5', withInterval(evaluation.top5)],
    ['macro-F1', withInterval(evaluation.macroF1)],
    ['calibration error', errorOf(evaluation)],
  ]
  if (set)
    rows.push([
      'sets',
      `hold the true label in ${withInterval(set.coverage)}, ${set.size.toFixed(2)} labels on average`,
    ])
  if (abstention) {
    rows.push([
      'refused',
      `${withInterval(levels.none.share)} as none of the classes; ${percent(abstention.accuracy)} of the other answers are right`,
    ])
  }
  if (set && abstention) for (const level of ['sure', 'perhaps'] as const) rows.push([level, levelText(levels[level])])
  const used = views.of === 1 ? 'one' : `${views.meanUsed.toFixed(2)} of ${views.of} on average`
  rows.push(['views', `${used} (policy ${views.policy})`])
  if (views.disagreement !== null && views.policy !== 'full')
    rows.push(['other label than by all views', percent(views.disagreement)])
  for (const shots of shotNames) {
    const group = evaluation.groups[shots]
    const { recall, low, high } = group
    if (recall === null || low === null || high === null) continue
    rows.push([
      `classes of ${shotRanges[shots]} training photos`,
      `${withInterval({ value: recall, low, high })} mean recall of ${plural(group.classes, 'class', 'classes')}, ${plural(group.photos, 'photo')}`,
    ])
  }
  return [
    `${model.name} ${model.version} at ${model.size} px on ${data.photos} photos of ${oneLine(data.path)} (${data.split})`,
    ...notes(evaluation),
    '',
    ...aligned(rows),
    ...section(
      `views added one by one: top-1, gain, cost on this machine (one view at a time, median of ${plural(evaluation.timedPhotos, 'photo')})`,
      viewRows(evaluation),
    ),
    ...section('weakest classes', weakest(evaluation)),
    ...section(
      'most frequent confusions',
      evaluation.confused
        .slice(0, 10)
        .map(({ truth, predicted, photos }) => [`${named(truth)} called ${named(predicted)}`, String(photos)]),
    ),
  ].join('\n')
}

const levelText = ({ share, accuracy }: LevelQuality): string =>
  `${withInterval(share)}${accuracy ? `; ${withInterval(accuracy)} of these answers are right` : ''}`

function errorOf({ ece, notFitted, data }: Evaluation): string {
  if (notFitted !== null) return `the model was not calibrated: ${notFitted}`
  if (ece === null) return `not given: ${plural(data.photos, 'photo is', 'photos are')} too few to measure it`
  return `${withInterval({ value: ece.after, low: ece.low, high: ece.high })} (uncalibrated ${percent(ece.before)})`
}

const chosenBy: Readonly<Record<Evaluation['data']['choosing'], string | null>> = {
  none: null,
  half: 'Half of these photos chose the checkpoint, and temperature and thresholds were fitted on the other half: expect slightly less on others.',
  all: 'These photos chose the checkpoint: expect slightly less on others.',
}

function notes({ data }: Evaluation): string[] {
  const lines = data.unreadable.map(({ path, reason }) => `unreadable, not counted: ${oneLine(path)}: ${reason}`)
  lines.push(...data.passedOver.slice(0, 10).map(({ path, reason }) => `passed over: ${oneLine(path)}: ${reason}`))
  if (data.passedOver.length > 10) lines.push(`passed over: ${data.passedOver.length - 10} more`)
  if (data.excluded > 0) lines.push(leftOut(data.excluded))
  const chosen = chosenBy[data.choosing]
  if (chosen !== null) lines.push(chosen)
  if (data.chosen && !data.asTrained)
    lines.push(
      'The data gives no split, so these photos are a part of it that was chosen: --split all takes every one.',
    )
  if (data.asTrained && data.split === 'train') lines.push('The model was trained on these photos.')
  return lines
}

function viewRows({ byViews, data }: Evaluation): [string, string][] {
  return byViews.map(({ views, flip, scale, top1, milliseconds }, index) => {
    const gain = top1 - (byViews[index - 1]?.top1 ?? top1)
    const gained = index === 0 ? '' : `${gain < 0 ? '' : '+'}${(100 * gain).toFixed(1)}`
    return [
      `${views}: ${flip === 'none' ? 'upright' : `${flip} flip`}, scale ${scale}`,
      `${withInterval(exactShare(Math.round(top1 * data.photos), data.photos))}  ${gained.padStart(5)}  ${milliseconds.toFixed(1).padStart(6)} ms`,
    ]
  })
}

function weakest({ classes }: Evaluation): [string, string][] {
  return classes
    .filter(({ photos }) => photos > 0)
    .toSorted((a, b) => a.f1 - b.f1)
    .slice(0, 10)
    .map(({ label, f1, precision, recall, photos }) => [
      named(label),
      `F1 ${percent(f1)}, precision ${percent(precision)}, recall ${withInterval(exactShare(Math.round(recall * photos), photos))} of ${plural(photos, 'photo')}`,
    ])
}

function section(title: string, rows: [string, string][]): string[] {
  return rows.length === 0 ? [] : ['', `${title}:`, ...aligned(rows)]
}

/** As much of a name as a line has room for. */
const named = (label: string): string => oneLine(label, 60)

function aligned(rows: [string, string][]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
}
