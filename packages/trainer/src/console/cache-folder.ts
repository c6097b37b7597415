import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where things are kept from run to run: `FLOWERS_CACHE`, else `flowers` in `XDG_CACHE_HOME`, else `~/.cache/flowers`. */
export function cacheFolder(): string {
  const { FLOWERS_CACHE: own, XDG_CACHE_HOME: shared } = process.env
  // An empty variable counts as absent (XDG Base Directory Specification).
  return own || join(shared || join(homedir(), '.cache'), 'flowers')
}
