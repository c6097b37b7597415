import { join } from 'node:path'
import { z } from 'zod'
import { withoutPhotos, type Dataset } from '../dataset/dataset.ts'
import { openData } from '../dataset/open-data.ts'
import type { Model } from '../model/architecture.ts'
import { findArchitecture } from '../model/registry.ts'
import { mapWeights } from '../model/weights/load.ts'
import { readSafetensors, readSafetensorsHeader } from '../model/weights/safetensors.ts'
import { storedRecipeSchema, type Recipe } from '../recipe/schema.ts'
import { readRunData, type RunData } from './data-file.ts'
import { checkpointFiles, checkpointPath, parseAs, readJson, runFiles } from './files.ts'
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

/** Reads a run folder. Throws TRAIN_RUN_MISSING naming the file that is missing or wrong, and what reading weights throws. */
export async function readRun(folder: string): Promise<TrainedRun> {
  const recipe = await readJson(join(folder, runFiles.recipe), storedRecipeSchema)
  const data = await readRunData(folder)
  const weights = checkpointPath(folder, checkpointFiles.best)
  const header = await readSafetensorsHeader(weights).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw new TrainerError('TRAIN_RUN_MISSING', `${weights} does not exist: the run has not validated yet`, { cause })
  })
  const checkpoint = parseAs(weights, checkpointSchema, header.metadata)
  const { architecture, head, stochasticDepth, layerScale } = recipe.model
  const model = findArchitecture(architecture).build({ classes: data.labels.length, head, stochasticDepth, layerScale })
  return {
    recipe,
    data,
    checkpoint,
    model,
    values: mapWeights(model, await readSafetensors(weights), { head: 'load' }),
  }
}

/** The photos of a run, at `path`. Throws TRAIN_DATA_CHANGED where they are others, and what `openDataset` throws. */
export async function openRunData(path: string, { recipe, data }: TrainedRun): Promise<Dataset> {
  const opened = await openData(path, { seed: data.seed, validShare: recipe.data.validShare, known: data.labels })
  const dataset = withoutPhotos(opened, new Set(data.excluded))
  if (dataset.sha256 === data.sha256) return dataset
  throw new TrainerError(
    'TRAIN_DATA_CHANGED',
    `${path} is not what this run was trained on: its hash is ${dataset.sha256}, not ${data.sha256}`,
  )
}

/** Training photos by class. */
export const trainCountsOf = ({ data }: Pick<TrainedRun, 'data'>): number[] =>
  data.labels.map((label) => data.counts.train.get(label) ?? 0)
