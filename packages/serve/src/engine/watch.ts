import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What a folder holds, as a text that changes with it: the path, size and time of each file. */
export async function fingerprint(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  const facts = files.sort().map(async (path) => {
    const { size, mtimeMs } = await stat(path)
    return `${path} ${size} ${mtimeMs}`
  })
  return (await Promise.all(facts)).join('\n')
}

/** Looks at things by name, each as a text, and tells which of them changed and then stayed as they were for a look. */
export class Settled {
  readonly #seen = new Map<string, string>()

  /** Names whose text in `now` is not the one in `known`, and was the same at the look before. */
  look(now: ReadonlyMap<string, string>, known: ReadonlyMap<string, string>): string[] {
    const changed = [...now].filter(([name, text]) => text !== known.get(name))
    const settled = changed.filter(([name, text]) => this.#seen.get(name) === text).map(([name]) => name)
    this.#seen.clear()
    for (const [name, text] of changed) this.#seen.set(name, text)
    return settled
  }
}

/** Calls `look` every `ms` milliseconds, counted from the end of the one before, until `signal` is aborted. */
export function every(ms: number, look: () => Promise<void>, signal: AbortSignal): void {
  let timer: NodeJS.Timeout | undefined
  const next = (): void => {
    if (!signal.aborted) timer = setTimeout(() => void look().finally(next), ms).unref()
  }
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  next()
}
