import { join } from 'node:path'
import { FlowersError } from '@flowers/shared/errors'
import { exists } from '@flowers/shared/files'
import { showWork } from '../console/bar.ts'
import { plural } from '../console/format.ts'
import { toUser } from '../console/paths.ts'
import { digestPhotos, withoutPhotos, type Dataset, type Sample } from '../dataset/dataset.ts'
import type { Listing, Split } from '../dataset/listed-photo.ts'
import { listPhotos, rootOf } from '../dataset/listing.ts'
import { openData } from '../dataset/open-data.ts'
import { VerifiedPhotos } from '../dataset/verified-photos.ts'
import type { Recipe } from '../recipe/schema.ts'
import type { RunData } from './data-file.ts'
import { TrainerError } from '../errors.ts'

export interface RunDataOptions {
  /** Photos that must be as they were: those of training and validation, or those of validation. */
  readonly needs: 'all' | 'validation'
  /** Hears of photos that are not used. */
  readonly log?: (line: string) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * The photos of a run at `path`, in the splits and with the labels that `data.json` has: photos that were added since are
 * named and not used, and so are those that changed or are missing where the run can do without them. Throws
 * TRAIN_DATA_CHANGED, naming the photos, and what `listPhotos` throws where there is nothing at `path`.
 */
export async function openRunData(
  path: string,
  { recipe, data }: { readonly recipe: Recipe; readonly data: RunData },
  { needs, log = () => {}, signal }: RunDataOptions,
): Promise<Dataset> {
  const recorded = data.photos.flatMap(({ split, label, ...photo }) =>
    split === undefined || label === undefined ? [] : [{ ...photo, split, label }],
  )
  if (recorded.length < data.photos.length || recorded.length === 0) return openAsBefore(path, { recipe, data }, signal)
  const root = await rootOf(path)
  const listing = await listingOf(path, data.labels)
  const listed = new Map(listing?.photos.map((photo) => [photo.id.normalize(), photo]))
  const photos = recorded.map((photo) => ({
    ...photo,
    path: listed.get(photo.id.normalize())?.path ?? join(root, photo.id),
  }))
  const files = await digestPhotos(photos, { onProgress: showWork('reading photos'), signal })
  const other = photos.filter(({ id, sha256 }) => files.get(id)?.sha256 !== sha256)
  const missing: typeof photos = []
  const unreadable: typeof photos = []
  for (const photo of other) {
    const isThere = await exists(photo.path).catch(() => null)
    if (isThere === null) unreadable.push(photo)
    else if (!isThere) missing.push(photo)
  }
  const relabelled = photos.filter(({ id, label }) => {
    const now = listing?.form === 'csv' ? listed.get(id.normalize())?.label : undefined
    return now !== undefined && now.trim().normalize() !== label.trim().normalize()
  })
  const changes: Changes = {
    missing,
    unreadable,
    changed: other.filter((photo) => !missing.includes(photo) && !unreadable.includes(photo)),
    'of another label now': relabelled,
  }
  requireUsable(path, changes, { needs, recorded })
  const lost = new Set(Object.values(changes).flatMap((found) => found.map(({ id }) => id)))
  for (const [what, found] of Object.entries(changes))
    if (found.length > 0)
      log(`${plural(found.length, 'photo')} of the run ${isOrAre(found)} ${what} and not used: ${namesOf(found)}`)
  const known = new Set([...recorded.map(({ id }) => id), ...data.excluded].map((id) => id.normalize()))
  const added = [...listed].flatMap(([id, photo]) => (known.has(id) ? [] : [photo]))
  if (added.length > 0) log(`${plural(added.length, 'new photo')} ${isOrAre(added)} not used: ${namesOf(added)}`)

  const samples = (wanted: Split): Sample[] =>
    photos.flatMap(({ id, path: place, label, split }) =>
      split === wanted && !lost.has(id) ? [{ id, path: place, label, index: data.labels.indexOf(label) }] : [],
    )
  return {
    root,
    form: listing?.form ?? 'classes',
    labels: data.labels,
    train: samples('train'),
    valid: samples('valid'),
    test: samples('test'),
    sha256: data.sha256,
    seed: data.seed,
    splitBy: data.splitBy,
    files,
    ignored: [],
    passedOver: listing?.passedOver ?? [],
    emptyClasses: [],
    others: listing?.others ?? [],
    partial: false,
    verified: await VerifiedPhotos.open(null, root),
  }
}

type Changed = readonly { readonly id: string; readonly split: Split }[]
type Changes = Readonly<Record<string, Changed>>

/** Throws TRAIN_DATA_CHANGED where photos are not as they were that the run cannot do without. */
function requireUsable(
  path: string,
  changes: Changes,
  { needs, recorded }: Pick<RunDataOptions, 'needs'> & { recorded: Changed },
): void {
  const needed = ({ split }: Changed[number]): boolean => split === 'valid' || (needs === 'all' && split === 'train')
  if (changes['missing']?.length === recorded.length)
    throw new TrainerError(
      'TRAIN_DATA_CHANGED',
      `${toUser(path)} has none of the ${recorded.length} photos of this run`,
    )
  const found = Object.entries(changes).map(([what, photos]) => [what, photos.filter(needed)] as const)
  const told = found.filter(([, photos]) => photos.length > 0).map(([what, photos]) => `${what}: ${namesOf(photos)}`)
  if (told.length === 0) return
  const which = needs === 'all' ? 'photos' : 'validation photos'
  throw new TrainerError(
    'TRAIN_DATA_CHANGED',
    `${which} of this run are not in ${toUser(path)} as they were when it began; ${told.join('; ')}`,
  )
}

const mostNamed = 5

function namesOf(photos: readonly { readonly id: string }[]): string {
  const rest = photos.length - mostNamed
  const names = photos.slice(0, mostNamed).map(({ id }) => id)
  return names.join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

const isOrAre = ({ length }: { readonly length: number }): string => (length === 1 ? 'is' : 'are')

/** What DATA lists now; null where it cannot be listed, for reasons that may lie in what was added. */
async function listingOf(path: string, known: readonly string[]): Promise<Listing | null> {
  return listPhotos(path, { known }).catch((error: unknown) => {
    if (error instanceof FlowersError) return null
    throw error
  })
}

/** Of older run folders, which do not say which photos are in which split: the same photos are split the same again. */
async function openAsBefore(
  path: string,
  { recipe, data }: { readonly recipe: Recipe; readonly data: RunData },
  signal: AbortSignal | undefined,
): Promise<Dataset> {
  const opened = await openData(path, {
    seed: data.seed,
    validShare: recipe.data.validShare,
    known: data.labels,
    signal,
  })
  const dataset = withoutPhotos(opened, new Set(data.excluded))
  if (dataset.sha256 === data.sha256) return dataset
  const changed = data.photos.filter(({ id, sha256 }) => dataset.files.get(id)?.sha256 !== sha256)
  const known = new Set(data.photos.map(({ id }) => id))
  const added = [...dataset.files.keys()].filter((id) => data.photos.length > 0 && !known.has(id)).map((id) => ({ id }))
  const told = Object.entries({ 'changed or missing': changed, new: added }).filter(([, photos]) => photos.length > 0)
  const what = told.map(([name, photos]) => `${name}: ${namesOf(photos)}`).join('; ')
  throw new TrainerError(
    'TRAIN_DATA_CHANGED',
    `the photos in ${toUser(path)} are not those that this run began with${what && `; ${what}`}`,
  )
}
