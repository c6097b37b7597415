import { readdir } from 'node:fs/promises'
import { join, parse, resolve, sep } from 'node:path'
import { exists } from '@flowers/shared/files'

/**
 * Finds files whose paths were written on another machine: in another Unicode form than on this disk, or with the
 * backslashes of Windows. Reads a folder at most once, and only where a path is not there as it is written.
 */
export class DiskNames {
  readonly #names = new Map<string, Promise<ReadonlyMap<string, string>>>()

  /** The path on this disk; as written, below `root`, where there is none. Rejects with the system's error. */
  async find(root: string, written: string): Promise<string> {
    const plain = resolve(root, written)
    for (const text of new Set([written, written.replaceAll('\\', '/')])) {
      const path = resolve(root, text)
      if (await exists(path)) return path
      const found = await this.#byForm(path)
      if (found !== undefined) return found
    }
    return plain
  }

  async #byForm(path: string): Promise<string | undefined> {
    let at = parse(path).root
    for (const part of path.slice(at.length).split(sep)) {
      const next = join(at, part)
      const name = (await exists(next)) ? part : (await this.#namesIn(at)).get(part.normalize('NFC'))
      if (name === undefined) return undefined
      at = join(at, name)
    }
    return at
  }

  #namesIn(folder: string): Promise<ReadonlyMap<string, string>> {
    const known = this.#names.get(folder)
    if (known) return known
    const read = readdir(folder).then(
      (names) => new Map(names.map((name) => [name.normalize('NFC'), name])),
      () => new Map<string, string>(),
    )
    this.#names.set(folder, read)
    return read
  }
}
