import { inputPictures, overview, spread } from '../input/contact-sheet.ts'
import type { Sample } from '../dataset/dataset.ts'
import { validBatches, type Batch } from '../input/loader.ts'
import type { Phase, PhaseName, Recipe } from '../recipe/schema.ts'
import { rowsOf } from './validate.ts'
import type { TensorBoard } from '../run/tensorboard.ts'

/** Most photos of a sheet. */
const shown = 16

interface ShownInputs {
  readonly name: PhaseName
  readonly phase: Phase
  readonly recipe: Recipe
  readonly batch: Batch
  /** The result of `packAugmentations` for the batch. */
  readonly packed: Float32Array
  readonly valid: readonly Sample[]
}

/** Shows the inputs of a phase's network: photos of its first batch, augmented and mixed, and validation photos. */
export async function showInputs(
  board: Pick<TensorBoard, 'picture'>,
  step: number,
  { name, phase, recipe, batch, packed, valid }: ShownInputs,
): Promise<void> {
  const { size } = phase
  const inputs = inputPictures(batch.pixels, packed, { size, normalization: recipe.preprocessing })
  // The first and the last: each photo is mixed with its mirror image in the batch.
  const ends = inputs.filter((_, place) => Math.min(place, inputs.length - 1 - place) < shown / 2)
  board.picture(`train_photos/${name}`, step, await overview(ends, size))
  const samples = Array.from(spread(valid.length, shown), (index) => valid[index]!)
  const preprocessing = { ...recipe.preprocessing, size }
  for await (const { pixels } of validBatches(samples, { preprocessing, batch: samples.length })) {
    board.picture(`valid_photos/${name}`, step, await overview(rowsOf(pixels, samples.length), size))
  }
}
