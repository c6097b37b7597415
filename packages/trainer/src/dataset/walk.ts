import { readdir, readlink, realpath, stat } from 'node:fs/promises'
import type { Dirent } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { reasonOf } from '../console/system-error.ts'
import { TrainerError } from '../errors.ts'
import { isFinished } from './finished-folder.ts'
import { compareText } from './listed-photo.ts'
import type { PassedOver } from './passed-over.ts'
import { isPhotoName } from './photo-name.ts'
import { isHidden, isSystemName } from './system-names.ts'
import { decodeName, escapeName, renaming } from './undecodable-name.ts'

export interface WalkedFile {
  readonly name: string
  readonly path: string
  /** Relative to the root, with forward slashes. */
  readonly id: string
}

export interface WalkedFolder extends WalkedFile {
  /** The path without links, by which circles are found. */
  readonly real: string
}

/** In order of name. */
export interface Contents {
  readonly folders: readonly WalkedFolder[]
  readonly files: readonly WalkedFile[]
}

/** As a folder is read, before it is known whether its folders are used. */
interface RawContents extends Contents {
  readonly passedOver: readonly PassedOver[]
  readonly hidden: readonly string[]
  /** Names of folders that are no UTF-8. */
  readonly undecodable: readonly Buffer[]
}

/** What the walk asks the system. */
export interface FileSystem {
  readonly readdir: (path: string) => Promise<Dirent<Buffer>[]>
  readonly stat: typeof stat
  readonly realpath: (path: string) => Promise<string>
  readonly readlink: (path: string) => Promise<string>
}

export const fileSystem: FileSystem = {
  readdir: (path) => readdir(path, { withFileTypes: true, encoding: 'buffer' }),
  stat,
  realpath: (path) => realpath(path),
  readlink: (path) => readlink(path),
}

/**
 * The one walk over a folder of photos. It opens no file, follows a link to a folder elsewhere once, and passes over what
 * is no photo of the person's: links in circles or into the root itself, pipes, sockets, devices, what systems make, run
 * folders and model folders. What it passed over is in `passedOver`, but for hidden names.
 */
export class Walk {
  readonly passedOver: PassedOver[] = []
  readonly root: WalkedFolder
  readonly #system: FileSystem
  readonly #read = new Map<string, Promise<RawContents>>()

  private constructor(root: WalkedFolder, system: FileSystem) {
    this.root = root
    this.#system = system
  }

  /** Throws DATA_UNREADABLE where the path of the root cannot be followed. */
  static async start(root: string, system: FileSystem = fileSystem): Promise<Walk> {
    const real = await system.realpath(root).catch((cause: unknown) => {
      throw unreadable(root, cause)
    })
    return new Walk({ name: '', path: root, id: '', real }, system)
  }

  /**
   * What is used of a folder. Throws DATA_UNREADABLE for a folder that cannot be read, and DATA_NAME for one whose name is
   * no UTF-8: left out, a whole class would be missing. Folders in `seen`, real paths, are passed over; it grows.
   */
  async contents(folder: WalkedFolder, seen?: Set<string>): Promise<Contents> {
    const { folders, files, passedOver, undecodable } = await this.#rawContents(folder)
    this.passedOver.push(...passedOver)
    if (undecodable[0] !== undefined) throw undecodableFolder(folder, undecodable[0])
    const used: WalkedFolder[] = []
    for (const child of folders) {
      if (seen?.has(child.real)) this.#passOver(child, `the folder ${child.real} once more`)
      else if (await this.#isFinished(child)) this.#passOver(child, 'a folder of runs or models')
      else used.push(child)
      seen?.add(child.real)
    }
    return { folders: used, files }
  }

  /** Every file of a folder in any depth. Throws what `contents` throws. */
  async filesUnder(folder: WalkedFolder): Promise<WalkedFile[]> {
    const found: WalkedFile[] = []
    const seen = new Set([folder.real])
    // The nearest first: a path through many links is one that the system refuses.
    const waiting = [folder]
    for (const at of waiting) {
      const { folders, files } = await this.contents(at, seen)
      for (const file of files) found.push(file)
      for (const child of folders) waiting.push(child)
    }
    return found
  }

  #passOver({ id }: WalkedFile, reason: string): void {
    this.passedOver.push({ id, reason, system: false })
  }

  /** Whether a folder is of a run or a model, or holds nothing else, as `runs` and `models` do. */
  async #isFinished(folder: WalkedFolder): Promise<boolean> {
    const { folders, files, hidden } = await this.#rawContents(folder)
    if (isFinished({ folders: names(folders), files: new Set([...names(files), ...hidden]) })) return true
    if (folders.length === 0 || files.some(({ name }) => isPhotoName(name))) return false
    for (const child of folders) {
      // A folder elsewhere may hold this one, through links of its own.
      if (child.real !== join(folder.real, child.name) || !(await this.#isFinished(child))) return false
    }
    return true
  }

  #rawContents(folder: WalkedFolder): Promise<RawContents> {
    const known = this.#read.get(folder.path)
    if (known) return known
    const read = this.#readFolder(folder)
    this.#read.set(folder.path, read)
    return read
  }

  async #readFolder(folder: WalkedFolder): Promise<RawContents> {
    const entries = await this.#system.readdir(folder.path).catch((cause: unknown) => {
      // Deleted since it was listed.
      if (folder !== this.root && (cause as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw unreadable(folder.path, cause)
    })
    const folders: WalkedFolder[] = []
    const files: WalkedFile[] = []
    const passedOver: PassedOver[] = []
    const hidden: string[] = []
    const undecodable: Buffer[] = []
    for (const entry of entries) {
      const name = decodeName(entry.name)
      if (name === undefined) {
        if (entry.isDirectory()) undecodable.push(entry.name)
        else {
          const id = childId(folder, escapeName(entry.name))
          passedOver.push({ id, reason: 'its name is not UTF-8; rename it to use it', system: false })
        }
        continue
      }
      if (isHidden(name)) {
        hidden.push(name)
        continue
      }
      const child = { name, path: join(folder.path, name), id: childId(folder, name) }
      const kind = isSystemName(name) ? systemMade : await this.#kindOf(folder, child, entry)
      if (kind === 'file') files.push(child)
      else if ('real' in kind) folders.push({ ...child, real: kind.real })
      else passedOver.push({ id: child.id, ...kind })
    }
    return { folders: folders.sort(byName), files: files.sort(byName), passedOver, hidden, undecodable }
  }

  async #kindOf(folder: WalkedFolder, child: WalkedFile, entry: Dirent<Buffer>): Promise<Kind> {
    if (entry.isFile()) return 'file'
    if (entry.isDirectory()) return { real: join(folder.real, child.name) }
    if (!entry.isSymbolicLink()) return passed(specialKind(entry))
    const place = `a link to ${await this.#system.readlink(child.path).catch(() => 'elsewhere')}, `
    try {
      const found = await this.#system.stat(child.path)
      if (found.isFile()) return 'file'
      if (!found.isDirectory()) return passed(place + specialKind(found))
      return this.#linkedFolder(folder, await this.#system.realpath(child.path))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ELOOP') return passed(`${place}which leads in a circle`)
      // Listed, so that the audit reports it among the photos that cannot be read.
      if (isPhotoName(child.name)) return 'file'
      return passed(`${place}which cannot be followed: ${reasonOf(error)}`)
    }
  }

  #linkedFolder(folder: WalkedFolder, real: string): Kind {
    if (isWithin(folder.real, real) || isWithin(this.root.real, real))
      return passed(`a link to ${real}, which leads in a circle`)
    const inside = isWithin(real, this.root.real) ? relative(this.root.real, real) : undefined
    // What is walked by itself gives its photos once; a store of a hidden name does not.
    if (inside !== undefined && !inside.split(sep).some((name) => isHidden(name) || isSystemName(name)))
      return passed(`a link to ${inside}, which is looked at there`)
    return { real }
  }
}

/** A file, a folder by its real path, or something to pass over. */
type Kind = 'file' | { readonly real: string } | Omit<PassedOver, 'id'>

const systemMade: Kind = { reason: 'made by a system or a program', system: true }
const passed = (reason: string): Kind => ({ reason, system: false })

/** What of a file that is neither a file nor a folder: opening it may wait for ever. */
export function specialKind(of: Pick<Dirent<Buffer>, 'isFIFO' | 'isSocket'>): string {
  return of.isFIFO() ? 'a pipe' : of.isSocket() ? 'a socket' : 'a device'
}

const names = (all: readonly WalkedFile[]): Set<string> => new Set(all.map(({ name }) => name))
const byName = (a: WalkedFile, b: WalkedFile): number => compareText(a.name, b.name)
const childId = ({ id }: WalkedFolder, name: string): string => (id === '' ? name : `${id}/${name}`)

const isWithin = (inner: string, outer: string): boolean =>
  inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)

function unreadable(path: string, cause: unknown): unknown {
  // The trainer's own limit, not the folder's.
  if (/^E[MN]FILE$/.test((cause as NodeJS.ErrnoException).code ?? '')) return cause
  return new TrainerError('DATA_UNREADABLE', `The folder "${path}" cannot be read: ${reasonOf(cause)}.`, { cause })
}

function undecodableFolder(parent: WalkedFolder, name: Buffer): TrainerError {
  return new TrainerError(
    'DATA_NAME',
    `The name of the folder "${join(parent.path, escapeName(name))}" is not UTF-8. A line that renames it: ${renaming(parent.path, name)}`,
  )
}
