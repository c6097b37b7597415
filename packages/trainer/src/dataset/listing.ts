import { opendir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { unlessAbsent } from '@flowers/shared/files'
import { readCsv } from './csv-listing.ts'
import { compareText, idOf, labelsOf, splits, type ListedPhoto, type Split } from './listed-photo.ts'
import { TrainerError } from '../errors.ts'

export interface Listing {
  readonly form: 'classes' | 'splits' | 'csv'
  /** Folder that ids are relative to: DATA itself, or the CSV's folder. Absolute. */
  readonly root: string
  /** In order of id. */
  readonly photos: readonly ListedPhoto[]
  /** Files in class folders that are no photos by their names, by id; to be reported. */
  readonly ignored: readonly string[]
}

/** Formats that are taken for photos by name; one of them that cannot be decoded is the audit's to report. */
const photoName = /\.(?:jpe?g|jfif|png|webp|avif|gif|tiff?|bmp|hei[cf]|jp2|jxl)$/i
const systemName = /^(?:\..*|Thumbs\.db|desktop\.ini)$/i

/**
 * Lists the photos of DATA, in any of its three forms, without opening one. Throws a FlowersError: DATA_NOT_FOUND,
 * DATA_FORM, DATA_EMPTY, DATA_CSV, DATA_SPLIT_UNKNOWN, DATA_PHOTO_MISSING, DATA_LABEL_CLASH.
 */
export async function listPhotos(data: string): Promise<Listing> {
  const path = resolve(data)
  const kind = await kindOf(path)
  if (kind === undefined) throw new TrainerError('DATA_NOT_FOUND', `There is no file or folder "${data}".`)
  const listing = kind === 'folder' ? await listFolder(path) : await listCsv(path)
  if (listing.photos.length === 0) throw new TrainerError('DATA_EMPTY', `"${data}" holds no photo.`)
  return { ...listing, photos: listing.photos.toSorted((a, b) => compareText(a.id, b.id)) }
}

/** The folder that ids are relative to. Throws DATA_NOT_FOUND. */
export async function rootOf(data: string): Promise<string> {
  const path = resolve(data)
  const kind = await kindOf(path)
  if (kind === undefined) throw new TrainerError('DATA_NOT_FOUND', `There is no file or folder "${data}".`)
  return kind === 'folder' ? path : dirname(path)
}

async function listCsv(path: string): Promise<Listing> {
  if (!path.toLowerCase().endsWith('.csv')) {
    throw new TrainerError('DATA_FORM', `"${path}" is a file, but not a CSV.`)
  }
  return { form: 'csv', root: dirname(path), photos: await readCsv(path), ignored: [] }
}

async function listFolder(root: string): Promise<Listing> {
  const top = await entriesOf(root)
  const given = splits.filter((split) => top.folders.includes(split))
  if (!given.includes('train')) {
    // A folder called "valid" or "test" without "train" beside it can hardly be a flower.
    if (given.length > 0) {
      throw new TrainerError('DATA_SPLIT_UNKNOWN', `"${root}" has ${given.join('/ and ')}/ but no train/.`)
    }
    const found = await listClasses(root, root, top, undefined)
    return { form: 'classes', root, ...found }
  }
  const unknown = top.folders.find((name) => !(splits as readonly string[]).includes(name))
  if (unknown !== undefined) {
    throw new TrainerError('DATA_SPLIT_UNKNOWN', `"${root}" has train/ and beside it "${unknown}", which is no split.`)
  }
  const photos: ListedPhoto[] = []
  const ignored: string[] = top.files.map((name) => idOf(root, join(root, name)))
  for (const split of given) {
    const folder = join(root, split)
    const found = await listClasses(root, folder, await entriesOf(folder), split)
    photos.push(...found.photos)
    ignored.push(...found.ignored)
  }
  // With train/ alone the split is still to be made.
  const alone = given.length === 1
  return {
    form: 'splits',
    root,
    photos: alone ? photos.map((photo) => ({ ...photo, split: undefined })) : photos,
    ignored,
  }
}

interface Entries {
  readonly folders: readonly string[]
  readonly files: readonly string[]
}

async function listClasses(
  root: string,
  folder: string,
  entries: Entries,
  split: Split | undefined,
): Promise<Pick<Listing, 'photos' | 'ignored'>> {
  const loose = entries.files.filter((name) => photoName.test(name))
  if (entries.folders.length === 0) {
    const held = loose.length > 0 ? `${loose.length} photos but no class folder` : 'no class folder'
    throw new TrainerError('DATA_FORM', `"${folder}" holds ${held}.`)
  }
  const photos: ListedPhoto[] = []
  const ignored = entries.files.map((name) => idOf(root, join(folder, name)))
  for (const [name, label] of labelsOf(entries.folders, `"${folder}"`)) {
    const before = photos.length
    for await (const path of filesUnder(join(folder, name))) {
      if (photoName.test(path)) photos.push({ path, id: idOf(root, path), label, split })
      else ignored.push(idOf(root, path))
    }
    // A class may do without photos to validate on: the audit warns of it.
    if (photos.length === before && (split ?? 'train') === 'train') {
      throw new TrainerError('DATA_EMPTY', `The class folder "${join(folder, name)}" holds no photo.`)
    }
  }
  return { photos, ignored }
}

async function* filesUnder(folder: string): AsyncGenerator<string> {
  const { folders, files } = await entriesOf(folder)
  for (const name of files) yield join(folder, name)
  for (const name of folders) yield* filesUnder(join(folder, name))
}

/** Names in a folder, sorted, links followed, without hidden and system files. */
async function entriesOf(folder: string): Promise<Entries> {
  const folders: string[] = []
  const files: string[] = []
  for await (const entry of await opendir(folder)) {
    if (systemName.test(entry.name)) continue
    const kind = entry.isDirectory()
      ? 'folder'
      : entry.isSymbolicLink()
        ? await kindOf(join(folder, entry.name))
        : 'file'
    if (kind === 'folder') folders.push(entry.name)
    // A link that leads nowhere is listed too, so that the audit reports it.
    else files.push(entry.name)
  }
  return { folders: folders.sort(compareText), files: files.sort(compareText) }
}

async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  const found = await unlessAbsent(stat(path))
  return found && (found.isDirectory() ? 'folder' : 'file')
}
