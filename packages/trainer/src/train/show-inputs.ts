import { inputPictures, overview, spread } from '../input/contact-sheet.ts'
import type { Sample } from '../dataset/dataset.ts'
import { validBatches, type Batch } from '../input/loader.ts'
import type { Phase, PhaseName, Recipe } from '../recipe/schema.ts'
import type { TensorBoard } from '../run/tensorboard.ts'

/** Photos of a sheet. */
const shown = 16

/**
 * Shows what a phase's network gets: photos of its first batch, augmented and mixed as they are, and photos it is
 * validated on.
 * @param packed what `packAugmentations` made for the batch
 */
export async function showInputs(
  board: TensorBoard,
  step: number,
  {
    name,
    phase,
    recipe,
    batch,
    packed,
    valid,
  }: {
    name: PhaseName
    phase: Phase
    recipe: Recipe
    batch: Batch
    packed: Float32Array
    valid: readonly Sample[]
  },
): Promise<void> {
  const { size } = phase
  const { pixels, packed: some } = outermost(batch, packed)
  const inputs = inputPictures(pixels, some, { size, normalization: recipe.preprocessing })
  board.picture(`train_photos/${name}`, step, await overview(inputs, size))
  const samples = Array.from(spread(valid.length, shown), (index) => valid[index]!)
  const preprocessing = { ...recipe.preprocessing, size }
  for await (const { pixels } of validBatches(samples, { preprocessing, batch: samples.length })) {
    board.picture(`valid_photos/${name}`, step, await overview(split(pixels, samples.length), size))
  }
}

const split = (values: Uint8Array, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) =>
    values.subarray((index * values.length) / count, ((index + 1) * values.length) / count),
  )

/** The first and last photos of a batch: each is mixed with its mirror image in the batch, so pairs stay together. */
function outermost({ pixels, samples }: Batch, packed: Float32Array): { pixels: Uint8Array; packed: Float32Array } {
  const count = samples.length
  if (count <= shown) return { pixels, packed }
  const ends = <T extends Uint8Array | Float32Array>(values: T, into: T): T => {
    const half = (values.length / count) * (shown / 2)
    into.set(values.subarray(0, half))
    into.set(values.subarray(values.length - half), half)
    return into
  }
  return {
    pixels: ends(pixels, new Uint8Array((pixels.length / count) * shown)),
    packed: ends(packed, new Float32Array((packed.length / count) * shown)),
  }
}
