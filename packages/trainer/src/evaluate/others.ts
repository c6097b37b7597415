import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { unlessAbsent } from '@flowers/shared/files'
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
