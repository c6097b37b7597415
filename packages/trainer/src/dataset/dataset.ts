import { availableParallelism } from 'node:os'
import { digestFile, sha256, type FileDigest } from '@flowers/shared/files'
import { groupBy } from '@flowers/shared/group-by'
import pLimit from 'p-limit'
import sharp from 'sharp'
import { inspectPhoto, isBroken, type Inspection } from './inspect-photo.ts'
import { compareText, type ListedPhoto, type Listing, type Split } from './listed-photo.ts'
import { listPhotos } from './listing.ts'
import { nearDuplicates } from './near-duplicates.ts'
import { notUsed } from './passed-over.ts'
import { VerifiedPhotos } from './verified-photos.ts'
import { stratifiedSplit, type Splittable } from './split.ts'
import type { OnProgress } from '../console/bar.ts'
import { TrainerError } from '../errors.ts'

export interface Sample {
  /** Absolute. */
  readonly path: string
  readonly label: string
  /** Of the label, in `Dataset.labels`. */
  readonly index: number
  /** Path relative to DATA, with forward slashes; stable. */
  readonly id: string
}

export interface Dataset extends Omit<Listing, 'photos'> {
  /** In order of code units; a label's place is its class index, whichever form DATA has. */
  readonly labels: readonly string[]
  /** In order of id, as are the others. */
  readonly train: readonly Sample[]
  readonly valid: readonly Sample[]
  /** Given by DATA as `test`, and kept aside. */
  readonly test: readonly Sample[]
  /** Of the manifest: which photos, of which content, with which label, in which split. */
  readonly sha256: string
  readonly seed: number
  readonly splitBy: 'given' | 'stratified'
  /** By id. */
  readonly files: ReadonlyMap<string, FileDigest>
  /** What is known of photos that were decoded. */
  readonly verified: VerifiedPhotos
  /** Opened for a measurement, so not fit to train on. */
  readonly partial: boolean
}

/** Training photos of each class, by index. */
export function trainCounts({ labels, train }: Pick<Dataset, 'labels' | 'train'>): number[] {
  const counts = labels.map(() => 0)
  for (const { index } of train) counts[index]!++
  return counts
}

export interface OpenOptions {
  /** Of the split, where DATA gives none. */
  readonly seed: number
  /** For a measurement: any of the splits and classes will do. Unless said the photos are to train and to validate on. */
  readonly partial?: boolean
  /** Share of a class that validates where DATA gives no split; in (0, 1), 0.15 unless said. */
  readonly validShare?: number
  /** Of the run or the model that these are the photos of; see `labelled`. */
  readonly known?: readonly string[]
  /** A folder that remembers what was found in photos, so that they are looked at once; none unless said. */
  readonly cache?: string
  /** Files hashed so far, of all. */
  readonly onProgress?: OnProgress
  /** Photos decoded so far, of all, where a split is made. */
  readonly onInspect?: OnProgress
  /** Abort to stop between two photos; its reason is what the promise rejects with. */
  readonly signal?: AbortSignal | undefined
}

const filesInFlight = 8

/** How work on many photos is followed and stopped. */
type Watched<Name extends string> = {
  readonly [name in Name]?: OnProgress
} & Pick<OpenOptions, 'signal'>

/**
 * Opens DATA: a folder per class, `train/` and `valid/` of those, or a CSV; hashes every photo; where no split is given,
 * makes a stratified one that keeps near-duplicates together, for which photos are decoded. Throws FlowersErrors: those of `listPhotos`, and, unless
 * `partial`, DATA_ONE_CLASS, DATA_NOT_VALIDATED, DATA_CLASS_NOT_IN_TRAIN, DATA_CLASS_TOO_SMALL.
 */
export async function openDataset(data: string, options: OpenOptions): Promise<Dataset> {
  const { seed, partial = false, validShare = 0.15, known, cache = null, onProgress, onInspect, signal } = options
  const { photos, ...listing } = await listPhotos(data, { partial, ...(known && { known }) })
  const labels = [...new Set(photos.map((photo) => photo.label))].toSorted(compareText)
  if (labels.length < 2 && !partial) {
    const others = listing.others.length === 0 ? '' : ' The photos of others/ are of no class.'
    throw new TrainerError(
      'DATA_ONE_CLASS',
      `All ${photos.length} photos of "${data}" have the label "${labels[0]}".${others}${notUsed(listing.passedOver, listing.emptyClasses)}`,
    )
  }
  const files = await digestPhotos(photos, { onProgress, signal })
  const given = photos.some((photo) => photo.split !== undefined)
  const verified = await VerifiedPhotos.open(cache, listing.root)
  const splitOf = given
    ? givenSplit
    : await madeSplit(photos, { files, verified }, { seed, validShare, partial, onInspect, signal })
  const indexOf = new Map(labels.map((label, index) => [label, index]))
  const samples = (split: Split): Sample[] =>
    photos
      .filter((photo) => splitOf(photo) === split)
      .map(({ path, label, id }) => ({ path, label, index: indexOf.get(label) ?? -1, id }))
  return seal({
    ...listing,
    partial,
    labels,
    train: samples('train'),
    valid: samples('valid'),
    test: samples('test'),
    seed,
    splitBy: given ? 'given' : 'stratified',
    files,
    verified,
  })
}

function givenSplit(photo: ListedPhoto): Split | undefined {
  return photo.split
}

async function madeSplit(
  photos: readonly ListedPhoto[],
  known: Pick<Dataset, 'files' | 'verified'>,
  {
    onInspect,
    signal,
    ...options
  }: Required<Pick<OpenOptions, 'seed' | 'validShare' | 'partial'>> & Watched<'onInspect'>,
): Promise<(photo: ListedPhoto) => Split> {
  const inspections = await inspectAll(photos, known, { onProgress: onInspect, signal })
  const hashed = grouped(photos, known, inspections)
  const valid = stratifiedSplit(hashed, options)
  const sound = hashed.filter((_, place) => !isBroken(inspections[place]!))
  for (const own of groupBy(sound, ({ label }) => label).values()) {
    if (!own.every(({ id }) => valid.has(id))) continue
    // What cannot be decoded trains nothing: one that can must not be kept from it.
    for (const { id, group } of hashed) if (group === own[0]!.group) valid.delete(id)
  }
  if (valid.size === 0 && !options.partial) {
    throw new TrainerError(
      'DATA_NOT_VALIDATED',
      'The photos of each class are near copies of one another, such as one burst or one photo in several sizes. Near copies are kept together, so that none is trained on and checked on as well, and this leaves no photo to check on.',
    )
  }
  return ({ id }) => (valid.has(id) ? 'valid' : 'train')
}

/** Photos with the groups of copies and near-duplicates that they belong to, from what was found in each. */
export function grouped(
  photos: readonly Pick<ListedPhoto, 'id' | 'label'>[],
  { files }: Pick<Dataset, 'files'>,
  inspections: readonly Inspection[],
): Splittable[] {
  const hashed = photos.map(({ id, label }) => {
    const sha256 = files.get(id)?.sha256 ?? id
    return { id, label, sha256, group: sha256 }
  })
  for (const places of nearDuplicates(inspections.map(({ perceptualHash }) => perceptualHash))) {
    const { group } = hashed[places[0]!]!
    for (const place of places) hashed[place]!.group = group
  }
  return hashed
}

/**
 * Inspects photos, one a core at a time, in their order; those of known content are not decoded again. What was found
 * before the signal aborts is remembered.
 */
export async function inspectAll(
  photos: readonly { readonly path: string; readonly id: string }[],
  { files, verified }: Pick<Dataset, 'files' | 'verified'>,
  { onProgress, signal }: Watched<'onProgress'>,
): Promise<Inspection[]> {
  const limit = pLimit(Math.max(2, availableParallelism()))
  sharp.concurrency(1)
  let done = 0
  const inspections = await limit.map(photos, async ({ path, id }) => {
    if (signal?.aborted) return {}
    const inspection = await inspectPhoto(path, files.get(id)?.sha256 ?? '', verified)
    onProgress?.(++done, photos.length)
    return inspection
  })
  await verified.save()
  signal?.throwIfAborted()
  return inspections
}

/** Checks that the parts make a dataset and adds its hash. */
function seal(parts: Omit<Dataset, 'sha256'>): Dataset {
  if (parts.partial) return { ...parts, sha256: manifestHash(parts) }
  if (parts.train.length === 0) throw new TrainerError('DATA_EMPTY', `"${parts.root}" has no photo to train on.`)
  const trained = new Set(parts.train.map((sample) => sample.label))
  const untrained = parts.labels.find((label) => !trained.has(label))
  if (untrained !== undefined) {
    const where = parts.valid.some((sample) => sample.label === untrained) ? 'valid' : 'test'
    throw new TrainerError('DATA_CLASS_NOT_IN_TRAIN', `The class "${untrained}" is in ${where} but not in train.`)
  }
  if (parts.valid.length === 0)
    throw new TrainerError('DATA_NOT_VALIDATED', `"${parts.root}" has no photo to validate on.`)
  return { ...parts, sha256: manifestHash(parts) }
}

/** Who leaves photos out, and what is to be said of those that something needed. */
export interface Leaving {
  readonly who: string
  readonly why: (lost: readonly Sample[]) => string
}

const byRun: Leaving = { who: 'The run', why: ({ length }) => `${length} of ${length} are left out` }

/**
 * A dataset without some of its photos, for instance those an audit found. Classes and their indices stay.
 * Throws DATA_NOTHING_LEFT where a class loses its last training photo, or validation its last photo.
 */
export function withoutPhotos(dataset: Dataset, ids: ReadonlySet<string>, leaving = byRun): Dataset {
  if (!dataset.partial) requireLeft(dataset, ids, leaving)
  const keep = (samples: readonly Sample[]) => samples.filter((sample) => !ids.has(sample.id))
  const { sha256: _, ...parts } = dataset
  return seal({ ...parts, train: keep(dataset.train), valid: keep(dataset.valid), test: keep(dataset.test) })
}

function requireLeft(dataset: Dataset, ids: ReadonlySet<string>, { who, why }: Leaving): void {
  const isLost = (photos: readonly Sample[]): boolean => photos.length > 0 && photos.every(({ id }) => ids.has(id))
  const byClass = groupBy(
    Array.from(samplesOf(dataset), ({ sample }) => sample),
    ({ label }) => label,
  )
  const needed = [
    ...[...groupBy(dataset.train, ({ label }) => label)].map(([label, own]) => {
      const all = byClass.get(label)!
      return isLost(all) ? { what: `of "${label}"`, own: all } : { what: `of "${label}" to train on`, own }
    }),
    { what: 'to validate on', own: dataset.valid },
  ]
  const lost = needed.filter(({ own }) => isLost(own))
  if (lost.length === 0) return
  const lines = lost.slice(0, 5).map(({ what, own }) => `${who} leaves no photo ${what}: ${why(own)}.`)
  const rest = lost.length > lines.length ? [`The same is true of ${lost.length - lines.length} more.`] : []
  throw new TrainerError('DATA_NOTHING_LEFT', [...lines, ...rest].join('\n'))
}

/** A dataset of which some training photos are kept aside, as its split `test`. Throws DATA_CLASS_NOT_IN_TRAIN. */
export function keepAside(dataset: Dataset, ids: ReadonlySet<string>): Dataset {
  const { sha256: _, ...parts } = dataset
  return seal({
    ...parts,
    splitBy: 'given',
    train: dataset.train.filter(({ id }) => !ids.has(id)),
    test: dataset.train.filter(({ id }) => ids.has(id)),
  })
}

/** Every photo of a dataset with its split. */
export function* samplesOf(dataset: Pick<Dataset, Split>): Generator<{ sample: Sample; split: Split }> {
  for (const split of ['train', 'valid', 'test'] as const) {
    for (const sample of dataset[split]) yield { sample, split }
  }
}

/** SHA-256, in hex, over one sorted line a photo: content hash, bytes, id, label, split, as a JSON array. */
function manifestHash(dataset: Pick<Dataset, Split | 'files'>): string {
  const lines: string[] = []
  for (const { sample, split } of samplesOf(dataset)) {
    const facts = dataset.files.get(sample.id)
    lines.push(JSON.stringify([facts?.sha256, facts?.bytes, sample.id, sample.label, split]))
  }
  return sha256(
    lines
      .toSorted(compareText)
      .map((line) => `${line}\n`)
      .join(''),
  )
}

/** Hashes of files by id. */
export async function digestPhotos(
  photos: readonly Pick<ListedPhoto, 'id' | 'path'>[],
  { onProgress, signal }: Watched<'onProgress'>,
): Promise<Map<string, FileDigest>> {
  const limit = pLimit(filesInFlight)
  let done = 0
  const facts = await limit.map(photos, async ({ path }) => {
    signal?.throwIfAborted()
    // A file that cannot be read gets a hash of its own, so that the audit can report it together with all others.
    const found = await digestFile(path).catch(() => ({ sha256: sha256(`unreadable ${path}`), bytes: 0 }))
    onProgress?.(++done, photos.length)
    return found
  })
  return new Map(photos.map(({ id }, index) => [id, facts[index] as FileDigest]))
}

/** Counts, hashes and splits of a dataset as a run records them (`data.json`). */
export function describeDataset(dataset: Dataset) {
  const counts = (samples: readonly Sample[]) => {
    const groups = groupBy(samples, (sample) => sample.label)
    return Object.fromEntries(dataset.labels.map((label) => [label, groups.get(label)?.length ?? 0]))
  }
  return {
    sha256: dataset.sha256,
    form: dataset.form,
    splitBy: dataset.splitBy,
    seed: dataset.seed,
    labels: dataset.labels,
    counts: { train: counts(dataset.train), valid: counts(dataset.valid), test: counts(dataset.test) },
    photos: [...samplesOf(dataset)].map(({ sample, split }) => ({
      id: sample.id,
      split,
      label: sample.label,
      ...dataset.files.get(sample.id),
    })),
    ignored: dataset.ignored,
  }
}
