import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { digestFile, unlessAbsent, type FileDigest } from '@flowers/shared/files'
import { oneLine } from '@flowers/shared/printable'
import pLimit from 'p-limit'
import type { Dataset } from '../dataset/dataset.ts'
import { listPhotos } from '../dataset/listing.ts'
import type { ListedPhoto, Listing } from '../dataset/listed-photo.ts'
import { isPhotoName } from '../dataset/photo-name.ts'
import { Walk } from '../dataset/walk.ts'
import { originsOf, type Origin } from '../measure/species.ts'
import { TrainerError } from '../errors.ts'

/** A photo of anything that is none of the classes. */
export interface OtherPhoto extends Pick<ListedPhoto, 'path' | 'id'> {
  readonly origin: Origin
}

/**
 * The photos of the option --others, in order of path: all of a folder in any depth of folders, or those of a CSV, whose labels
 * do not matter. Throws DATA_EMPTY where there is none, and what `Walk` and `listPhotos` throw.
 */
export async function listOthers(data: string): Promise<OtherPhoto[]> {
  const path = resolve(data)
  const isFolder = (await unlessAbsent(stat(path)))?.isDirectory() ?? false
  // What is no folder is a CSV, or said to be missing.
  const photos = isFolder ? await photosUnder(path) : (await listPhotos(path, { partial: true })).photos
  if (photos.length === 0) throw new TrainerError('DATA_EMPTY', `"${data}" holds no photo.`)
  return withOrigins(photos, basename(path).replace(/\.csv$/i, ''))
}

/** Photos of the folder `others` beside the folders of classes. */
export const othersBeside = ({ others }: Pick<Listing, 'others'>): OtherPhoto[] =>
  withOrigins(others, 'others', (id) => id.replace(/^(.*?\/)?others\//i, ''))

const filesInFlight = 8
/** Photos that are named of many. */
const mostNamed = 3

/**
 * All photos of others for a DATA: those of its folder `others`, and those of the option, each once: a copy under another
 * name would be judged by what has learnt from it. Throws DATA_OTHERS where some of
 * them are photos of the classes, by their bytes: what learns from these would refuse its own, and figures on them would be of
 * another question. Also throws what `listOthers` throws.
 */
export async function openOthers(
  named: string | undefined,
  { others: beside, files }: Pick<Dataset, 'others' | 'files'>,
): Promise<OtherPhoto[]> {
  const others = [...othersBeside({ others: beside }), ...(named === undefined ? [] : await listOthers(named))]
  const own = new Set([...files.values()].map(({ sha256 }) => sha256))
  const limit = pLimit(filesInFlight)
  // One that cannot be read is said where it is scored.
  const digests = await Promise.all(others.map(({ path }) => limit(() => digestFile(path).catch(() => null))))
  const same = others.filter((_, place) => own.has(digests[place]?.sha256 ?? ''))
  if (same.length === 0) return withoutCopies(others, digests)
  const ids = same.slice(0, mostNamed).map(({ id }) => `"${oneLine(id)}"`)
  throw new TrainerError(
    'DATA_OTHERS',
    `${same.length} of the ${others.length} photos of others ${same.length === 1 ? 'is a photo' : 'are photos'} of the classes: ${ids.join(', ')}${same.length > mostNamed ? ', ...' : ''}.`,
  )
}

function withoutCopies(others: OtherPhoto[], digests: readonly (FileDigest | null)[]): OtherPhoto[] {
  const firsts = new Map<string, number>()
  for (const [place, digest] of digests.entries())
    if (digest && !firsts.has(digest.sha256)) firsts.set(digest.sha256, place)
  return others.filter((_, place) => {
    const digest = digests[place]
    return !digest || firsts.get(digest.sha256) === place
  })
}

async function photosUnder(path: string): Promise<Pick<ListedPhoto, 'path' | 'id'>[]> {
  const walk = await Walk.start(path)
  const files = await walk.filesUnder(walk.root)
  return files.filter(({ name }) => isPhotoName(name)).toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

function withOrigins(
  photos: readonly Pick<ListedPhoto, 'path' | 'id'>[],
  name: string,
  below: (id: string) => string = (id) => id,
): OtherPhoto[] {
  const origins = originsOf(
    photos.map(({ id }) => below(id)),
    name,
  )
  return photos.map(({ path, id }, place) => ({ path, id, origin: origins[place]! }))
}
