import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SharedError } from '@flowers/shared/errors'

/** A file of the trainer's package by its path from the package's root, whether this runs from source or built. */
export function packageFile(relative: string): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, relative))) {
    if (dirname(folder) === folder)
      throw new SharedError('INTERNAL', `${relative} is missing from the trainer's package`)
    folder = dirname(folder)
  }
  return join(folder, relative)
}
