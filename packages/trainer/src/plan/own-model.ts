import { join } from 'node:path'
import { modelFiles, openModel } from '@flowers/shared/model/package'
import { toUser } from '../console/paths.ts'
import { modelFolder } from '../evaluate/model-folder.ts'
import { storedRecipeSchema, type RecipeInput } from '../recipe/schema.ts'
import { TrainerError } from '../errors.ts'

/**
 * What a recipe takes from a model that it starts from: network and weights, and what its photos are made into. The model
 * is a name, for its highest version, or a model folder. Throws MODEL_FOLDER, WEIGHTS_UNKNOWN for a model that has no
 * weights to go on from, and what `openModel` throws.
 */
export async function findOwnModel(nameOrFolder: string): Promise<Pick<RecipeInput, 'model' | 'preprocessing'>> {
  const folder = await modelFolder(nameOrFolder)
  const { manifest } = await openModel(folder)
  const recipe = storedRecipeSchema.safeParse(manifest.recipe)
  if (!(modelFiles.weights in manifest.files) || !recipe.success) {
    throw new TrainerError(
      'WEIGHTS_UNKNOWN',
      `${toUser(folder)} holds no ${modelFiles.weights} to start from, as it was exported by an earlier version: export its run again, or name --weights RUN/checkpoints/best.safetensors`,
    )
  }
  const { model, preprocessing } = recipe.data
  return { model: { ...model, weights: join(folder, modelFiles.weights) }, preprocessing }
}
