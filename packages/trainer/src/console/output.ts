import { access, constants, mkdir, realpath, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { unlessAbsent, writeFileAtomic } from '@flowers/shared/files'
import { fromUser, isWithin, toUser } from './paths.ts'
import { TrainerError } from '../errors.ts'

/** Rejects with the system's error where a folder, or what it would be made in, cannot be written to. Makes nothing. */
export async function requireWritable(folder: string): Promise<void> {
  try {
    // A file in the place of a folder is writable as well, until something is put into it.
    await access(`${folder}/.`, constants.W_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await requireWritable(dirname(folder))
  }
}

/** The same of a file that is to be written, before the work that it is the result of. Throws USAGE where it is a folder. */
export async function requireWritableFile(path: string): Promise<void> {
  if ((await unlessAbsent(stat(path)))?.isDirectory())
    throw new TrainerError('USAGE', `"${path}" is a folder; name the file to write`)
  await requireWritable(dirname(resolve(path)))
}

/** Throws USAGE where what is to be written, as the person typed it, would lie among the photos that are read. */
export async function requireOutside(out: string, data: string): Promise<void> {
  const photos = fromUser(data)
  if (!(await isWithin(fromUser(out), photos))) return
  const better = toUser(join(dirname(photos), 'runs', basename(fromUser(out))))
  throw new TrainerError(
    'USAGE',
    `--out ${out} lies among the photos of ${data}; name a place outside: --out ${better}`,
  )
}

/**
 * Writes a file as `writeFileAtomic` does, and the folder that it goes into where there is none. A link stays, and what it
 * leads to is written; into a pipe or a device, such as `/dev/stdout`, the content goes as it is.
 */
export async function writeOutput(path: string, content: string | Uint8Array): Promise<void> {
  const found = await unlessAbsent(stat(path))
  if (found === undefined) {
    await mkdir(dirname(path), { recursive: true })
    await writeFileAtomic(path, content)
  } else if (found.isFile()) await writeFileAtomic(await realpath(path), content)
  else await writeFile(path, content)
}
