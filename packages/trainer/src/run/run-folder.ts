import { join } from 'node:path'
import { exists } from '@flowers/shared/files'
import { z } from 'zod'
import { toUser } from '../console/paths.ts'
import type { Model } from '../model/architecture.ts'
import { findArchitecture } from '../model/registry.ts'
import { mapWeights } from '../model/weights/load.ts'
import { readSafetensors, readSafetensorsHeader } from '../model/weights/safetensors.ts'
import { storedRecipeSchema, type Recipe } from '../recipe/schema.ts'
import { readRunData, type RunData } from './data-file.ts'
import { checkpointFiles, checkpointPath, damaged, missing, parseAs, readJson, runFiles } from './files.ts'
import { TrainerError } from '../errors.ts'

const checkpointSchema = z.object({
  size: z.coerce.number().int().positive(),
  phase: z.string(),
  epoch: z.coerce.number().int(),
})

/** What an export and a report need of a run folder. */
export interface TrainedRun {
  readonly recipe: Recipe
  readonly data: RunData
  /** Side of the input that the checkpoint was chosen at, the phase, and the epoch of the phase, from 0; -1 is its start. */
  readonly checkpoint: z.infer<typeof checkpointSchema>
  readonly model: Model
  /** In TensorFlow's layout. */
  readonly values: ReadonlyMap<string, Float32Array>
}

/** Reads a run folder. Throws TRAIN_RUN_MISSING and TRAIN_RUN_DAMAGED, naming the file that is missing or wrong. */
export async function readRun(folder: string): Promise<TrainedRun> {
  const recipe = await readJson(join(folder, runFiles.recipe), storedRecipeSchema)
  const data = await readRunData(folder)
  const path = checkpointPath(folder, checkpointFiles.best)
  if (!(await exists(path))) {
    // The report comes last.
    if (await exists(join(folder, runFiles.report))) throw damaged(path, 'is gone')
    throw new TrainerError(
      'TRAIN_RUN_MISSING',
      `${toUser(folder)} has not got as far as ${runFiles.checkpoints}/${checkpointFiles.best}: train on with --resume first`,
    )
  }
  const checkpoint = parseAs(path, checkpointSchema, (await whole(path, readSafetensorsHeader)).metadata)
  const { architecture, head, stochasticDepth, layerScale } = recipe.model
  const model = findArchitecture(architecture).build({ classes: data.labels.length, head, stochasticDepth, layerScale })
  return { recipe, data, checkpoint, model, values: await readCheckpoint(path, model) }
}

/** Weights of a run by parameter, in TensorFlow's layout. Throws TRAIN_RUN_MISSING and TRAIN_RUN_DAMAGED. */
export const readCheckpoint = (
  path: string,
  model: Pick<Model, 'architecture' | 'parameters'>,
): Promise<Map<string, Float32Array>> =>
  whole(path, async () => mapWeights(model, await readSafetensors(path), { head: 'load' }))

/** What is read from a file of tensors of a run. Throws TRAIN_RUN_MISSING and TRAIN_RUN_DAMAGED. */
export async function whole<T>(path: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw await missing(path, error)
    if (!(error instanceof TrainerError) || !error.code.startsWith('MODEL_')) throw error
    throw damaged(path, `is not whole: ${error.message.replace(`${path}: `, '')}`, error)
  }
}

/** Training photos by class. */
export const trainCountsOf = ({ data }: Pick<TrainedRun, 'data'>): number[] =>
  data.labels.map((label) => data.counts.train.get(label) ?? 0)
