import { writeFileAtomic } from '@flowers/shared/files'
import type { RgbImage } from '@flowers/shared/resample'
import * as tf from '@tensorflow/tfjs-core'
import sharp, { type Sharp } from 'sharp'
import { rampValue } from '../optim/ramp.ts'
import type { Phase, Recipe } from '../recipe.ts'
import { bytes, castToFloat, startTensorflow } from '../tensorflow/index.ts'
import { applyAugmentations, packAugmentations, type Normalization } from './apply-augment.ts'
import { atStrength, drawAugmentation } from './augment.ts'
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
  /** Epochs drawn so far, of all. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Pixels between pictures. */
const gap = 2

/**
 * A PNG of training inputs as a phase sees them, after crop, augmentation and mixing: a row a photo, a column an epoch.
 * Photos are spread over the classes.
 */
export async function contactSheet(
  dataset: Dataset,
  { recipe, phase, rows, columns, onProgress }: ContactSheetOptions,
): Promise<Buffer> {
  await startTensorflow()
  const { size } = phase
  const picked = spread(dataset.train.length, rows)
  const byEpoch: Uint8Array[][] = []
  for (let epoch = 0; epoch < columns; epoch++) {
    const batches = trainBatches(dataset.train, {
      size,
      batch: picked.length,
      seed: recipe.seed,
      epoch,
      crop: augmentAt(phase, epoch).crop,
      kernel: recipe.preprocessing.kernel,
      order: picked,
    })
    for await (const { pixels } of batches) {
      const packed = drawn(recipe, phase, { count: picked.length, epoch })
      byEpoch.push(inputPictures(pixels, packed, { size, normalization: recipe.preprocessing }))
    }
    onProgress?.(epoch + 1, columns)
  }
  const pictures = Array.from(picked).flatMap((_, row) => byEpoch.map((column) => column[row]!))
  return tiled(pictures, { size, columns }).png().toBuffer()
}

/** As strong as it is in an epoch. */
function augmentAt({ augment, epochs }: Phase, epoch: number): Phase['augment'] {
  return { ...augment, ...atStrength(augment, rampValue(augment.strength, epoch, epochs)) }
}

/** What is drawn for a batch in an epoch, as it goes into the step. */
function drawn(recipe: Recipe, phase: Phase, { count, epoch }: { count: number; epoch: number }): Float32Array {
  const { size, mix, epochs } = phase
  const augment = augmentAt(phase, epoch)
  const positions = Array.from({ length: count }, (_, position) => position)
  return packAugmentations(
    positions.map((position) => drawAugmentation(augment, size, new Random(recipe.seed, 'augment', epoch, position))),
    positions.map((position) => drawMix(mix, { epoch, epochs }, size, new Random(recipe.seed, 'mix', epoch, position))),
    recipe.preprocessing,
  )
}

/** At most `wanted` places, evenly over `length` of them. */
export function spread(length: number, wanted: number): Int32Array {
  const count = Math.min(wanted, length)
  return Int32Array.from({ length: count }, (_, index) => Math.floor((index * length) / count))
}

/**
 * A batch as the network sees it, back from normalised values to bytes, a picture a photo.
 * @param pixels N x size x size x 3, cropped
 * @param packed what `packAugmentations` made for the N photos
 */
export function inputPictures(
  pixels: Uint8Array,
  packed: Float32Array,
  { size, normalization }: { size: number; normalization: Normalization },
): Uint8Array[] {
  const each = size * size * 3
  const count = pixels.length / each
  const values = tf.tidy(() => {
    const photos = castToFloat(bytes(pixels, [count, size, size, 3])) as tf.Tensor4D
    const { images } = applyAugmentations(photos, tf.tensor2d(packed, [count, packed.length / count]), {
      geometry: true,
      erasing: true,
      mixing: true,
    })
    return tf.mul(tf.add(tf.mul(images, normalization.std), normalization.mean), 255).dataSync() as Float32Array
  })
  const clamped = Uint8ClampedArray.from(values)
  return Array.from({ length: count }, (_, index) => new Uint8Array(clamped.buffer, index * each, each))
}

/** Square RGB pictures of one size side by side on white, row by row. */
function tiled(pictures: readonly Uint8Array[], { size, columns }: { size: number; columns: number }): Sharp {
  const side = (items: number): number => gap + items * (size + gap)
  const width = side(Math.min(columns, pictures.length))
  const height = side(Math.ceil(pictures.length / columns))
  return sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite(
      pictures.map((pixels, index) => ({
        input: Buffer.from(pixels),
        raw: { width: size, height: size, channels: 3 },
        left: side(index % columns),
        top: side(Math.floor(index / columns)),
      })),
    )
    .removeAlpha()
}

/** Side at most of a picture in `overview`, in pixels. */
const smallSide = 128

/** Square RGB pictures side by side, made small where they are large: for a quick look. */
export async function overview(pictures: readonly Uint8Array[], size: number): Promise<RgbImage> {
  const side = Math.min(size, smallSide)
  const small = await Promise.all(
    pictures.map((pixels) =>
      sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
        .resize(side, side)
        .raw()
        .toBuffer(),
    ),
  )
  const { data, info } = await tiled(small, { size: side, columns: Math.ceil(Math.sqrt(small.length)) })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { pixels: data, width: info.width, height: info.height }
}

export const writeContactSheet = async (path: string, dataset: Dataset, options: ContactSheetOptions): Promise<void> =>
  writeFileAtomic(path, await contactSheet(dataset, options))
