import { basename, dirname, join } from 'node:path'
import { exists } from '@flowers/shared/files'
import { listModels, modelFiles } from '@flowers/shared/model/package'
import { fromUser } from '../console/paths.ts'
import { TrainerError } from '../errors.ts'

/** The model folder that a person names, by itself or by the folder of its versions. Throws MODEL_FOLDER. */
export async function modelFolder(path: string): Promise<string> {
  const folder = fromUser(path)
  if (await exists(join(folder, modelFiles.manifest))) return folder
  const versions = (await listModels(dirname(folder))).find(({ name }) => name === basename(folder))?.versions
  const highest = versions?.at(-1)
  if (highest !== undefined) return join(folder, String(highest))
  throw new TrainerError('MODEL_FOLDER', `"${path}" holds no ${modelFiles.manifest}, and no version that does`)
}
