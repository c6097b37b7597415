import { resolve } from 'node:path'

/** A path of the command line, seen from the folder the person stands in; pnpm runs scripts in the package's own. */
export const fromUser = (path: string): string => resolve(process.env['INIT_CWD'] ?? process.cwd(), path)

/** A path as the person would type it. */
export function toUser(path: string): string {
  const base = `${resolve(process.env['INIT_CWD'] ?? process.cwd())}/`
  return path.startsWith(base) ? path.slice(base.length) : path
}
