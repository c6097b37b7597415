import { FlowersError } from '@flowers/shared/errors'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { openDataset } from '../dataset/dataset.ts'
import { testFolder } from './test-photos.ts'

/** Paths of some photos of a class. */
export const photos = (name: string, total: number): string[] =>
  Array.from({ length: total }, (_, index) => `${name}/${index}.jpg`)

/** Folders of data that are removed after each test. */
export function dataFolders() {
  const cleanups: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup()
  })

  /** Opening does not look into photos, so any bytes do. */
  async function folderOf(names: readonly string[], extra: Record<string, string> = {}) {
    const folder = await testFolder({
      ...Object.fromEntries(names.map((name) => [name, `bytes of ${name}`])),
      ...extra,
    })
    cleanups.push(folder.remove)
    return { ...folder, at: (name: string) => join(folder.path, name) }
  }

  /** What opening rejects with. */
  async function failure(path: string, options: { validShare?: number } = {}): Promise<FlowersError> {
    try {
      await openDataset(path, { seed: 1, ...options })
    } catch (error) {
      if (error instanceof FlowersError) return error
      throw error
    }
    throw new Error('opened')
  }
  return { cleanups, folderOf, failure }
}
