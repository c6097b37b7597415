import { dirname, join } from 'node:path'
import { exists } from '@flowers/shared/files'
import { Command } from 'commander'
import { command, pathWord } from '../console/command.ts'
import { plural } from '../console/format.ts'
import { requireOutside, requireWritable, writeOutput } from '../console/output.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { TrainerError } from '../errors.ts'

interface LabelsArguments {
  data: string
  out?: string
  apply?: string
}

const defaultFolder = 'labels'
/** Paths that are named of many. */
const mostNamed = 5

export function labelsCommand(): Command {
  return new Command('labels')
    .description(
      'List the photos whose labels are in doubt, by a model that has not seen them, as a CSV and a page of pictures; or carry out what a person has decided about them.',
    )
    .requiredOption('--data <data>', 'the photos, in any of the forms that train takes')
    .option('--out <folder>', `where to write; "${defaultFolder}", or with --apply the folder of its CSV, unless said`)
    .option(
      '--apply <csv>',
      'a labels.csv with its column decision filled in: write corrected.csv, photos stay as they are',
    )
    .addHelpText(
      'after',
      '\nA decision is empty (the label stays), drop (the photo is left out), a label of the data, or new:LABEL.',
    )
    .action(({ data, out, apply }: LabelsArguments) =>
      apply === undefined ? listDoubtful(data, out ?? defaultFolder) : applyDecisions(data, apply, out),
    )
}

async function listDoubtful(data: string, out: string): Promise<void> {
  const folder = fromUser(out)
  await requireOutside(out, data)
  await requireWritable(folder)
  const { labelFiles, writeLabels } = await import('../report/write-labels.ts')
  await requireUndecided(join(folder, labelFiles.csv), data)
  const { openData } = await import('../dataset/open-data.ts')
  const { findDoubtful } = await import('../labels/find-doubtful.ts')
  const dataset = await openData(fromUser(data), { seed: 1, partial: true })
  if (dataset.labels.length < 2)
    throw new TrainerError('DATA_ONE_CLASS', `All photos of "${data}" have the label "${dataset.labels[0]}".`)
  const found = await findDoubtful(dataset, { log: console.error })
  const { csv, page } = await writeLabels(folder, dataset, found, data)
  const { judged, doubtful, broken, alone } = found
  const lines = [
    `${plural(doubtful.length, 'label')} of ${plural(judged.length, 'photo')} in doubt, the most doubtful first: ${toUser(csv)}`,
    `with pictures, to be opened in a browser: ${toUser(page)}`,
    ...note(broken, 'cannot be decoded and was not judged', 'cannot be decoded and were not judged'),
    ...note(
      alone,
      'is the only one of its class, copies apart, and cannot be judged',
      'have no others of their classes, copies apart, and cannot be judged',
    ),
    ...(dataset.test.length > 0 ? [`${plural(dataset.test.length, 'test photo')} kept aside, not judged`] : []),
  ]
  if (doubtful.length > 0) {
    lines.push(
      `Next: look at the page and fill in the column decision of ${toUser(csv)}: nothing where the label is right, drop to leave the photo out, or the right label.`,
      `Then: ${command('data', 'labels', '--data', pathWord(fromUser(data)), '--apply', pathWord(csv))}`,
    )
  }
  console.log(lines.join('\n'))
}

const note = (photos: readonly { readonly id: string }[], one: string, several: string): string[] =>
  photos.length === 0
    ? []
    : [
        `${plural(photos.length, 'photo')} ${photos.length === 1 ? one : several}: ${namesOf(photos.map(({ id }) => id))}`,
      ]

function namesOf(paths: readonly string[]): string {
  const rest = paths.length - mostNamed
  return paths.slice(0, mostNamed).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

/** Throws USAGE where a list would be written over that somebody has filled in. */
async function requireUndecided(csv: string, data: string): Promise<void> {
  if (!(await exists(csv))) return
  const { hasDecisions } = await import('../labels/decisions.ts')
  if (!(await hasDecisions(csv))) return
  throw new TrainerError(
    'USAGE',
    `${toUser(csv)} would be written over, and what was filled in would be lost. Carry it out: ${command('data', 'labels', '--data', pathWord(fromUser(data)), '--apply', pathWord(csv))}; or name another folder with --out`,
  )
}

async function applyDecisions(data: string, apply: string, out: string | undefined): Promise<void> {
  const csv = fromUser(apply)
  const folder = out === undefined ? dirname(csv) : fromUser(out)
  if (out !== undefined) await requireOutside(out, data)
  await requireWritable(folder)
  const { labelFiles } = await import('../report/write-labels.ts')
  const target = join(folder, labelFiles.corrected)
  if (target === fromUser(data))
    throw new TrainerError('USAGE', `${toUser(target)} is the data itself; name another folder with --out`)
  const { listPhotos } = await import('../dataset/listing.ts')
  const { readDecisions } = await import('../labels/decisions.ts')
  const { correctedListing } = await import('../labels/corrected-listing.ts')
  const { photos, others } = await listPhotos(fromUser(data), { partial: true })
  const decisions = await readDecisions(csv, photos)
  const corrected = correctedListing(photos, decisions, folder)
  if (corrected.photos === 0) throw new TrainerError('LABELS_DECISION', `The decisions of "${apply}" leave no photo.`)
  await writeOutput(target, corrected.csv)
  const { changed, dropped, emptied } = corrected
  const [othersFolder, ...furtherOthers] = othersFolders(others)
  const othersWords = othersFolder === undefined ? [] : ['--others', pathWord(othersFolder)]
  const words = ['train', '--data', pathWord(target), ...othersWords, '--name', 'mine']
  const lines = [
    `${plural(changed, 'label')} changed and ${plural(dropped, 'photo')} left out; ${plural(corrected.photos, 'photo')} in ${toUser(target)}, and the photos themselves are as they were`,
    ...(decisions.fresh.length > 0 ? [`new: ${decisions.fresh.join(', ')}`] : []),
    ...(emptied.length > 0 ? [`no photo is left of: ${emptied.join(', ')}`] : []),
    ...(decisions.unknown.length > 0
      ? [
          `${plural(decisions.unknown.length, 'path')} of ${toUser(csv)} not among the photos, so nothing was done for: ${namesOf(decisions.unknown)}`,
        ]
      : []),
    ...(furtherOthers.length > 0
      ? [
          `photos of others are also in ${namesOf(furtherOthers.map(toUser))}: --others takes one folder, so put them into one`,
        ]
      : []),
    `Train on it: ${command(...(words as [string, ...string[]]))}`,
  ]
  console.log(lines.join('\n'))
}

/** The folders `others` of the data, as a CSV has none: beside the classes, or in `train/` and its like. */
function othersFolders(others: readonly { readonly path: string; readonly id: string }[]): string[] {
  const folders = others.map(({ path, id }) => {
    const above = /^(.*?\/)?others(?=\/)/i.exec(id)![0]
    return path.slice(0, path.length - id.length + above.length)
  })
  return [...new Set(folders)]
}
