import { realpath } from 'node:fs/promises'
import { dirname, join, basename, relative, resolve, sep } from 'node:path'
import { unlessAbsent } from '@flowers/shared/files'

/** A path of the command line, seen from the folder the person stands in; pnpm runs scripts in the package's own. */
export const fromUser = (path: string): string => resolve(process.env['INIT_CWD'] ?? process.cwd(), path)

/** A path as the person would type it. */
export function toUser(path: string): string {
  const base = `${resolve(process.env['INIT_CWD'] ?? process.cwd())}/`
  return path.startsWith(base) ? path.slice(base.length) : path
}

/** Whether a path, of something that may not be there yet, is a folder or lies in it, whatever links lead there. */
export async function isWithin(path: string, folder: string): Promise<boolean> {
  const way = relative(await realPath(folder), await realPath(path))
  return way.split(sep)[0] !== '..'
}

async function realPath(path: string): Promise<string> {
  const real = await unlessAbsent(realpath(path))
  if (real !== undefined) return real
  return dirname(path) === path ? path : join(await realPath(dirname(path)), basename(path))
}
