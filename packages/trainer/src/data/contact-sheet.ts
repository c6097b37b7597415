import { writeFileAtomic } from '@flowers/shared/files'
import * as tf from '@tensorflow/tfjs-core'
import sharp, { type OverlayOptions } from 'sharp'
import type { Phase, Recipe } from '../recipe.ts'
import { bytes, castToFloat, startTensorflow } from '../tensorflow/index.ts'
import { applyAugmentations, packAugmentations } from './apply-augment.ts'
import { drawAugmentation } from './augment.ts'
import type { Dataset } from './dataset.ts'
import { trainBatches } from './loader.ts'
import { drawMix } from './mix.ts'
import { Random } from '../random.ts'

export interface ContactSheetOptions {
  readonly recipe: Recipe
  readonly phase: Phase
  /** Photos, a row each. */
  readonly rows: number
  /** Epochs, a column each. */
  readonly columns: number
}

/** Pixels between pictures. */
const gap = 2

/**
 * A PNG of training inputs as a phase sees them, after crop, augmentation and mixing: a row a photo, a column an epoch.
 * Photos are spread over the classes.
 */
export async function contactSheet(
  dataset: Dataset,
  { recipe, phase, rows, columns }: ContactSheetOptions,
): Promise<Buffer> {
  await startTensorflow()
  const { size } = phase
  const count = Math.min(rows, dataset.train.length)
  const picked = Int32Array.from({ length: count }, (_, row) => Math.floor((row * dataset.train.length) / count))
  const tiles: OverlayOptions[] = []
  for (let column = 0; column < columns; column++) {
    const batches = trainBatches(dataset.train, {
      size,
      batch: count,
      seed: recipe.seed,
      epoch: column,
      crop: phase.augment.crop,
      kernel: recipe.preprocessing.kernel,
      order: picked,
    })
    for await (const batch of batches) {
      const pictures = augmented(batch.pixels, { recipe, phase, count, epoch: column })
      pictures.forEach((pixels, row) =>
        tiles.push({
          input: Buffer.from(pixels),
          raw: { width: size, height: size, channels: 3 },
          left: gap + column * (size + gap),
          top: gap + row * (size + gap),
        }),
      )
    }
  }
  const side = (items: number): number => gap + items * (size + gap)
  return sharp({ create: { width: side(columns), height: side(count), channels: 3, background: 'white' } })
    .composite(tiles)
    .png()
    .toBuffer()
}

/** The pictures of one batch, back from normalised values to bytes. */
function augmented(
  pixels: Uint8Array,
  { recipe, phase, count, epoch }: { recipe: Recipe; phase: Phase; count: number; epoch: number },
): Uint8Array[] {
  const { size, augment, mix, epochs } = phase
  const { mean, std } = recipe.preprocessing
  const positions = Array.from({ length: count }, (_, position) => position)
  const packed = packAugmentations(
    positions.map((position) => drawAugmentation(augment, size, new Random(recipe.seed, 'augment', epoch, position))),
    positions.map((position) => drawMix(mix, { epoch, epochs }, size, new Random(recipe.seed, 'mix', epoch, position))),
    recipe.preprocessing,
  )
  const values = tf.tidy(() => {
    const photos = castToFloat(bytes(pixels, [count, size, size, 3])) as tf.Tensor4D
    const { images } = applyAugmentations(photos, tf.tensor2d(packed, [count, packed.length / count]), {
      geometry: true,
      erasing: true,
      mixing: true,
    })
    return tf.mul(tf.add(tf.mul(images, std), mean), 255).dataSync() as Float32Array
  })
  const each = size * size * 3
  return positions.map((position) =>
    Uint8Array.from(Uint8ClampedArray.from(values.subarray(position * each, (position + 1) * each))),
  )
}

export const writeContactSheet = async (path: string, dataset: Dataset, options: ContactSheetOptions): Promise<void> =>
  writeFileAtomic(path, await contactSheet(dataset, options))
