import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { SharedError } from '@flowers/shared/errors'
import { exists, unlessAbsent } from '@flowers/shared/files'
import { isModelName } from '@flowers/shared/model/model-name'
import { toUser } from '../console/paths.ts'
import { TrainerError } from '../errors.ts'

/** Where a model goes: a folder `<models>/<name>/<version>`, or the next version of a name. */
export type Place = string | { readonly models: string; readonly name: string }

export interface Target {
  readonly folder: string
  readonly name: string
  readonly version: number
}

/** The folder that a place is now. Throws EXPORT_TARGET, and MODEL_EXISTS where it is taken. */
export async function targetAt(place: Place): Promise<Target> {
  if (typeof place !== 'string') {
    const { models, name } = place
    const version = await nextVersion(join(models, name))
    return { folder: join(models, name, String(version)), name, version }
  }
  const target = { folder: place, ...targetOf(place) }
  if (await exists(place)) throw new SharedError('MODEL_EXISTS', `${toUser(place)} exists.`)
  return target
}

/** Makes a model at a place. Where the next version is meant and another program has taken it, the one after it. */
export async function makeAt<T>(place: Place, make: (target: Target) => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await make(await targetAt(place))
    } catch (error) {
      const isTaken = error instanceof SharedError && error.code === 'MODEL_EXISTS'
      if (typeof place === 'string' || !isTaken) throw error
    }
  }
}

/** Name and version of `<models>/<name>/<version>`. Throws EXPORT_TARGET. */
export function targetOf(out: string): { name: string; version: number } {
  const [name, version] = [basename(dirname(out)), basename(out)]
  if (!isVersion(version))
    throw new TrainerError('EXPORT_TARGET', `"${out}" does not end with a version, a positive integer`)
  if (!isModelName(name)) {
    throw new TrainerError(
      'EXPORT_TARGET',
      `"${name}" is no name of a model: lower-case letters, digits, dots, dashes and underscores`,
    )
  }
  return { name, version: Number(version) }
}

const isVersion = (text: string): boolean => /^[1-9]\d*$/.test(text)

/** One more than the highest version there is, whatever its folder holds. */
async function nextVersion(folder: string): Promise<number> {
  const versions = ((await unlessAbsent(readdir(folder))) ?? []).filter(isVersion).map(Number)
  return 1 + Math.max(0, ...versions)
}
