import { join } from 'node:path'
import type { Manifest } from '@flowers/shared/model/manifest'
import { oneLine } from '@flowers/shared/printable'
import { command, pathWord } from '../console/command.ts'
import { percent, plural, withInterval } from '../console/format.ts'
import { toUser } from '../console/paths.ts'
import { fittingFactsOf } from '../evaluate/choosing-of-model.ts'
import { fewestToSplit } from '../measure/split-validation.ts'
import { whyNotFitted } from '../measure/why-not-fitted.ts'
import { readRunData, type RunData } from '../run/data-file.ts'
import { runFiles } from '../run/files.ts'

/** What the lines of a training mean, for one who sees them for the first time. */
export const howToRead = (run: string, goOn: string): string[] => [
  `everything is kept in ${run}; if this is cut off, go on with: ${goOn}`,
  'An epoch goes once through the photos to learn from. Of each, "train" is the share of these that was named right, and "valid" that of the photos kept for checking; "loss" is how far the answers are from the truth, and "lr" how large the steps are.',
  'There are up to three phases: "head" learns to tell your classes apart, "full" fits the whole network to them, "fixres" sharpens it for larger pictures. * marks the epoch that a phase keeps; in the end the phase that named most right counts.',
]

/** Fewer photos than that are said: more of them help most. */
const few = 30

type SummarizedManifest = Pick<Manifest, 'metrics' | 'calibration' | 'views' | 'recipe' | 'data'>

/** What a person should know of the model of a run, in a few lines. */
export const summary = async (run: string, manifest: SummarizedManifest): Promise<string[]> =>
  summaryLines(run, manifest, await readRunData(run))

/** {@link summary} of what `data.json` says. */
export function summaryLines(
  run: string,
  manifest: SummarizedManifest,
  { labels, counts, excluded, source }: Pick<RunData, 'labels' | 'counts' | 'excluded' | 'source'>,
): string[] {
  const { metrics, views } = manifest
  const { top1 } = metrics
  const sizes = labels.map((label) => ({ label, photos: counts.train.get(label) ?? 0 }))
  const fewest = sizes.filter(({ photos }) => photos < few).toSorted((a, b) => a.photos - b.photos)
  const named = fewest.slice(0, 3).map(({ label, photos }) => `${oneLine(label)} (${photos})`)
  const others =
    fewest.length > named.length ? ` and ${plural(fewest.length - named.length, 'more class', 'more classes')}` : ''
  return [
    `of the ${plural(top1.count, 'photo')} kept for checking it names ${withInterval(top1)} right${views.length > 1 ? `, with up to ${views.length} views of each` : ''}; the range is what chance allows`,
    `its mistakes and doubtful photos, as a page: ${toUser(join(run, runFiles.report))}`,
    ...(excluded.length === 0
      ? []
      : [
          `${plural(excluded.length, 'photo was', 'photos were')} left out; what is wrong with them: ${command('data', 'audit', '--data', pathWord(source))}`,
        ]),
    ...calibrationLines(manifest),
    ...(named.length === 0 ? [] : [`what would help most: more photos to learn from of ${named.join(', ')}${others}`]),
  ]
}

/** What is said of a model that refuses nothing, and what would change it where the photos were too few. */
const namesEverything = (valid: number): string =>
  `it names a flower on every picture, also where there is none${valid < fewestToSplit ? `; to refuse such pictures takes ${fewestToSplit} photos kept for checking, which neither \`--others\` nor \`--folds\` makes up for` : ''}`

/** How sure the model may be of what it says, and what it cannot say. */
function calibrationLines({ metrics: { ece }, calibration, ...manifest }: SummarizedManifest): string[] {
  const { temperature, networks, known, abstention, conformal } = calibration
  const noneOfThese = known || abstention ? [] : [namesEverything(manifest.data.valid)]
  if (temperature === null && ece)
    return [
      `how sure it is of an answer is not said: it would be off by ${percent(ece.after)} on average, and no temperature mends that`,
      ...noneOfThese,
    ]
  if (temperature === null)
    return [`how sure it is of an answer is not fitted: ${whyNotFitted(fittingFactsOf(manifest))}`, ...noneOfThese]
  if (ece?.low === undefined || ece.high === undefined) return noneOfThese
  const off = withInterval({ value: ece.after, low: ece.low, high: ece.high })
  // Validation photos are measured on the half that was not fitted on.
  const on =
    networks === undefined
      ? plural(Math.ceil(manifest.data.valid / 2), 'photo')
      : `${plural(conformal?.count ?? 0, 'photo')} that ${networks} networks trained as this one had not seen`
  return [`how sure it says it is, is off by ${off} on average, on ${on}`, ...noneOfThese]
}
