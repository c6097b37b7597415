import { access, constants } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** A path of the command line, seen from the folder the person stands in; pnpm runs scripts in the package's own. */
export const fromUser = (path: string): string => resolve(process.env['INIT_CWD'] ?? process.cwd(), path)

/** A path as the person would type it. */
export function toUser(path: string): string {
  const base = `${resolve(process.env['INIT_CWD'] ?? process.cwd())}/`
  return path.startsWith(base) ? path.slice(base.length) : path
}

/** Rejects with the system's error where a folder, or what it would be made in, cannot be written to. Makes nothing. */
export async function requireWritable(folder: string): Promise<void> {
  await access(folder, constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return requireWritable(dirname(folder))
  })
}
