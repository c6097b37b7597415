import { plural } from '../console/format.ts'
import { labelOf, type NamedPhoto } from './labels.ts'
import { compareText, type Listing, type Split } from './listed-photo.ts'
import type { EmptyClass } from './passed-over.ts'
import { isPhotoName } from './photo-name.ts'
import { splitNamed } from './split-name.ts'
import { Walk, type Contents, type FileSystem, type WalkedFile, type WalkedFolder } from './walk.ts'
import { TrainerError } from '../errors.ts'

export interface FolderOptions {
  /** Any of the splits will do, as for a measurement; unless said there are photos to train on. */
  readonly partial?: boolean
  /** The machine's own unless said. */
  readonly system?: FileSystem
}

/** A listing whose photos have the names of their classes. */
export type NamedListing = Omit<Listing, 'photos'> & { readonly photos: readonly NamedPhoto[] }

type Part = Pick<NamedListing, 'photos' | 'ignored' | 'passedOver' | 'others'> & {
  readonly emptyClasses: readonly (EmptyClass & { readonly label: string })[]
}

const nothing: Part = { photos: [], ignored: [], passedOver: [], emptyClasses: [], others: [] }

/**
 * Lists a folder with a folder per class, or one with `train/`, `valid/` and `test/` of those. A folder `others` beside
 * them is of no class. Throws DATA_FORM, DATA_SPLIT_UNKNOWN, and what `Walk` throws.
 */
export async function listFolder(root: string, { partial = false, system }: FolderOptions): Promise<NamedListing> {
  const walk = await Walk.start(root, system)
  const top = await walk.contents(walk.root)
  const given = splitFolders(root, top.folders)
  const names = [...given.values()].map(({ name }) => `${name}/`).join(' and ')
  // A folder called "valid" or "test" without "train" beside it can hardly be a flower.
  if (given.size > 0 && !given.has('train') && !partial)
    throw new TrainerError('DATA_SPLIT_UNKNOWN', `"${root}" has ${names} but no train/.`)
  const parts =
    given.size === 0 ? [await listClasses(walk, walk.root, top, undefined)] : await listBeside(walk, top, names)
  for (const [split, folder] of given) {
    const contents = await walk.contents(folder)
    // A measurement asks for one split, and whether that has photos is found out there.
    if (partial && contents.folders.length === 0 && loosePhotos(contents).length === 0) continue
    parts.push(await listClasses(walk, folder, contents, split))
  }
  const photos = parts.flatMap((part) => part.photos)
  const filled = new Set(photos.map(({ className }) => labelOf(className)))
  // With train/ alone the split is still to be made.
  const alone = given.size === 1 && given.has('train')
  return {
    form: given.size === 0 ? 'classes' : 'splits',
    root,
    photos: alone ? photos.map((photo) => ({ ...photo, split: undefined })) : photos,
    ignored: parts.flatMap(({ ignored }) => ignored),
    passedOver: [...walk.passedOver, ...parts.flatMap(({ passedOver }) => passedOver)].toSorted(byId),
    // A class may do without photos in one of the splits, and is said once.
    emptyClasses: parts
      .flatMap(({ emptyClasses }) => emptyClasses)
      .filter(
        ({ label }, index, all) => !filled.has(label) && all.findIndex((other) => other.label === label) === index,
      )
      .map(({ id, reason }) => ({ id, reason })),
    others: parts.flatMap(({ others }) => others).toSorted(byId),
  }
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number => compareText(a.id, b.id)

function splitFolders(root: string, folders: readonly WalkedFolder[]): Map<Split, WalkedFolder> {
  const given = new Map<Split, WalkedFolder>()
  for (const folder of folders) {
    const split = splitNamed(folder.name)
    if (split === undefined) continue
    const other = given.get(split)
    if (other !== undefined) {
      throw new TrainerError(
        'DATA_SPLIT_UNKNOWN',
        `"${root}" has ${other.name}/ and ${folder.name}/, which both name the split ${split}; put their photos into one of them.`,
      )
    }
    given.set(split, folder)
  }
  return given
}

/** What lies beside the folders of splits. */
async function listBeside(walk: Walk, top: Contents, splits: string): Promise<Part[]> {
  const parts = [looseFiles(top)]
  for (const folder of top.folders.filter(({ name }) => splitNamed(name) === undefined)) {
    const photos = (await walk.filesUnder(folder)).filter(({ name }) => isPhotoName(name))
    if (isOthers(folder)) parts.push({ ...nothing, others: photos })
    else if (photos.length > 0)
      throw new TrainerError(
        'DATA_SPLIT_UNKNOWN',
        `"${walk.root.path}" has ${splits} and beside it "${folder.name}", which is no split.`,
      )
    else {
      const reason = 'a folder without photos that is no split'
      parts.push({ ...nothing, passedOver: [{ id: folder.id, reason, system: false }] })
    }
  }
  return parts
}

async function listClasses(
  walk: Walk,
  place: WalkedFolder,
  contents: Contents,
  split: Split | undefined,
): Promise<Part> {
  const loose = loosePhotos(contents)
  const folders = contents.folders.filter((folder) => !isOthers(folder))
  if (folders.length === 0) {
    const held = loose.length > 0 ? `${plural(loose.length, 'photo')} but no class folder` : 'no class folder'
    const beside = folders.length < contents.folders.length ? ', and others/ is of no class' : ''
    throw new TrainerError('DATA_FORM', `"${place.path}" holds ${held}${beside}.`)
  }
  const others: WalkedFile[] = []
  for (const folder of contents.folders.filter(isOthers)) others.push(...(await walk.filesUnder(folder)))
  const { ignored, passedOver } = looseFiles(contents)
  const unused = [...ignored]
  const emptyClasses: Part['emptyClasses'][number][] = []
  const photos: NamedPhoto[] = []
  for (const folder of folders) {
    const files = await walk.filesUnder(folder)
    const own = files.filter(({ name }) => isPhotoName(name))
    unused.push(...files.filter(({ name }) => !isPhotoName(name)).map(({ id }) => id))
    photos.push(...own.map(({ path, id }): NamedPhoto => ({ path, id, className: folder.name, split })))
    if (own.length === 0) emptyClasses.push({ id: folder.id, label: labelOf(folder.name), reason: emptyReason(files) })
  }
  const photosOfOthers = others.filter(({ name }) => isPhotoName(name))
  return { photos, ignored: unused, passedOver, emptyClasses, others: photosOfOthers }
}

const isOthers = ({ name }: WalkedFolder): boolean => name.toLowerCase() === 'others'

const loosePhotos = ({ files }: Contents): WalkedFile[] => files.filter(({ name }) => isPhotoName(name))

/** Files beside folders of classes or of splits. */
function looseFiles(contents: Contents): Part {
  const reason = 'a photo beside the folders of classes, so of none'
  return {
    ...nothing,
    ignored: contents.files.filter(({ name }) => !isPhotoName(name)).map(({ id }) => id),
    passedOver: loosePhotos(contents).map(({ id }) => ({ id, reason, system: false })),
  }
}

function emptyReason(files: readonly WalkedFile[]): string {
  const [first] = files
  if (first === undefined) return 'holds no photo'
  return `holds no photo; ${plural(files.length, 'file')} of another kind, such as ${first.name}`
}
