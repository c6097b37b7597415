import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { unlessAbsent } from '@flowers/shared/files'
import { reasonOf } from '../console/system-error.ts'
import { readCsv } from './csv-listing.ts'
import { listFolder, type FolderOptions, type NamedListing } from './folder-listing.ts'
import { labelled } from './labels.ts'
import { compareText, type Listing } from './listed-photo.ts'
import { notUsed } from './passed-over.ts'
import { specialKind } from './walk.ts'
import { TrainerError } from '../errors.ts'

/**
 * Lists the photos of DATA, in any of its three forms, without opening one. Throws a FlowersError: DATA_NOT_FOUND,
 * DATA_FORM, DATA_EMPTY, DATA_CSV, DATA_SPLIT_UNKNOWN, DATA_PHOTO_MISSING, DATA_UNREADABLE, DATA_NAME.
 *
 * @param known as of `labelled`
 */
export async function listPhotos(
  data: string,
  { known = [], ...options }: FolderOptions & { readonly known?: readonly string[] } = {},
): Promise<Listing> {
  const path = resolve(data)
  const listing = (await kindOf(path)) === 'folder' ? await listFolder(path, options) : await listCsv(path)
  if (listing.photos.length === 0)
    throw new TrainerError(
      'DATA_EMPTY',
      `"${data}" holds no photo.${notUsed(listing.passedOver, listing.emptyClasses)}`,
    )
  return { ...listing, photos: labelled(listing.photos, known).toSorted((a, b) => compareText(a.id, b.id)) }
}

/** The folder that ids are relative to. Throws DATA_NOT_FOUND, DATA_UNREADABLE, DATA_FORM. */
export async function rootOf(data: string): Promise<string> {
  const path = resolve(data)
  return (await kindOf(path)) === 'folder' ? path : dirname(path)
}

/** Throws DATA_NOT_FOUND, DATA_UNREADABLE, and DATA_FORM for what may never end when it is read. */
async function kindOf(path: string): Promise<'folder' | 'file'> {
  const found = await unlessAbsent(stat(path)).catch((cause: unknown) => {
    throw new TrainerError('DATA_UNREADABLE', `"${path}" cannot be read: ${reasonOf(cause)}.`, { cause })
  })
  if (found === undefined) throw new TrainerError('DATA_NOT_FOUND', `There is no file or folder "${path}".`)
  if (!found.isDirectory() && !found.isFile())
    throw new TrainerError('DATA_FORM', `"${path}" is ${specialKind(found)}.`)
  return found.isDirectory() ? 'folder' : 'file'
}

async function listCsv(path: string): Promise<NamedListing> {
  if (!path.toLowerCase().endsWith('.csv')) throw new TrainerError('DATA_FORM', `"${path}" is a file, but not a CSV.`)
  return { form: 'csv', root: dirname(path), ignored: [], others: [], ...(await readCsv(path)) }
}
