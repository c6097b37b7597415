import { isPhotoName } from './photo-name.ts'
import { isHidden } from './system-names.ts'

interface Names {
  readonly folders: ReadonlySet<string>
  /** Hidden ones too. */
  readonly files: ReadonlySet<string>
}

/**
 * Whether these are the names in a run folder, from its first file on, in a model folder, or in that of the demo's flowers. A person who trains inside
 * the folder of photos has them among the classes.
 */
export function isFinished({ folders, files }: Names): boolean {
  const names = [...files]
  const isRun = files.has('recipe.json') && (files.has('data.json') || files.has('environment.json'))
  const isModel = files.has('manifest.json') && (folders.has('onnx') || files.has('config.json'))
  const hasOnlyCheckpoints =
    [...folders].every((name) => name === 'checkpoints') && !names.some((name) => isPhotoName(name) && !isHidden(name))
  const hasBegun = folders.size > 0 || names.some((name) => /^\.owner\.|(?:^|\.)lock$/.test(name))
  const isDemo = files.has('.drawn.json')
  return isRun || isModel || isDemo || (hasOnlyCheckpoints && hasBegun)
}
