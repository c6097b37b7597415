import { basename, dirname, join } from 'node:path'
import { exists } from '@flowers/shared/files'
import { listModels, modelFiles } from '@flowers/shared/model/package'
import { modelsFolder } from '../console/models-folder.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { TrainerError } from '../errors.ts'

/**
 * The model folder that a person means: the highest version of a name, a model folder, or the folder of its versions.
 * Throws MODEL_FOLDER.
 */
export async function modelFolder(nameOrPath: string): Promise<string> {
  const models = modelsFolder()
  const known = nameOrPath.includes('/') ? [] : await listModels(models)
  const version = known.find(({ name }) => name === nameOrPath)?.versions.at(-1)
  return version === undefined ? folderAt(nameOrPath, known) : join(models, nameOrPath, String(version))
}

async function folderAt(path: string, known: readonly { readonly name: string }[]): Promise<string> {
  const folder = fromUser(path)
  if (await exists(join(folder, modelFiles.manifest))) return folder
  const versions = (await listModels(dirname(folder))).find(({ name }) => name === basename(folder))?.versions
  const highest = versions?.at(-1)
  if (highest !== undefined) return join(folder, String(highest))
  if (!path.includes('/') && !(await exists(folder))) {
    const names = known.map(({ name }) => name).join(', ') || 'none'
    const models = toUser(modelsFolder())
    throw new TrainerError('MODEL_FOLDER', `there is no model "${path}" in ${models}; there are: ${names}`)
  }
  throw new TrainerError('MODEL_FOLDER', `"${path}" holds no ${modelFiles.manifest}, and no version that does`)
}
