import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { unlessAbsent } from '@flowers/shared/files'
import { reasonOf } from '../console/system-error.ts'
import { compareText } from '../dataset/listed-photo.ts'
import { notUsed, type PassedOver } from '../dataset/passed-over.ts'
import { specialKind, Walk, type WalkedFile } from '../dataset/walk.ts'
import { TrainerError } from '../errors.ts'

export interface PredictInput {
  /** In order of id. */
  readonly photos: readonly WalkedFile[]
  readonly passedOver: readonly PassedOver[]
}

/**
 * The files to label: one, or those of a folder in any depth, whatever their names, but for those in `written`. Throws
 * PREDICT_INPUT where there is none, and what `Walk` throws.
 */
export async function listInput(input: string, written: readonly string[]): Promise<PredictInput> {
  const path = resolve(input)
  const found = await unlessAbsent(stat(path)).catch((cause: unknown) => {
    throw new TrainerError('PREDICT_INPUT', `"${input}" cannot be read: ${reasonOf(cause)}.`, { cause })
  })
  if (found === undefined) throw new TrainerError('PREDICT_INPUT', `There is no file or folder "${input}".`)
  const own = new Set(written.map((each) => resolve(each)))
  if (found.isFile()) {
    if (own.has(path)) throw new TrainerError('PREDICT_INPUT', `"${input}" is the file to write.`)
    const name = basename(path)
    return { photos: [{ name, path, id: name }], passedOver: [] }
  }
  if (!found.isDirectory()) throw new TrainerError('PREDICT_INPUT', `"${input}" is ${specialKind(found)}.`)
  const walk = await Walk.start(path)
  const files = (await walk.filesUnder(walk.root)).filter((file) => !own.has(file.path))
  if (files.length === 0)
    throw new TrainerError('PREDICT_INPUT', `"${input}" holds no file.${notUsed(walk.passedOver, [])}`)
  return { photos: files.toSorted(byId), passedOver: walk.passedOver.toSorted(byId) }
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number => compareText(a.id, b.id)
