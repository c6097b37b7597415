import type { RgbImage } from '@flowers/shared/image/resample'
import { scalesOf, type View } from '@flowers/shared/image/view'
import * as tf from '@tensorflow/tfjs-core'
import sharp, { type Sharp } from 'sharp'
import type { Phase, Recipe } from '../recipe/schema.ts'
import { bytes, castToFloat, startTensorflow } from '@flowers/tensorflow'
import { applyAugmentations, augmentAt, drawBatch, type Normalization } from './apply-augment.ts'
import { inspectAll, type Dataset, type Sample } from '../dataset/dataset.ts'
import { trainBatches, validBatches } from './loader.ts'
import { writeOutput } from '../console/output.ts'
import { Random } from '@flowers/shared/random'
import type { OnProgress } from '../console/bar.ts'
import { TrainerError } from '../errors.ts'

export interface ContactSheetOptions {
  readonly recipe: Recipe
  readonly phase: Phase
  /** Photos, a row each. */
  readonly rows: number
  /** Epochs at most, a column each, from the first to the last. */
  readonly columns: number
  /** Epochs drawn so far, of all. */
  readonly onProgress?: OnProgress
}

/** Pixels between pictures. */
const gap = 2

/** Height of the line of epochs above the pictures. */
const labelHeight = 16
/** A column narrower than this many pixels has room for a number alone. */
const narrow = 72

/**
 * A PNG of training inputs as a phase sees them: a row a photo, a column an epoch, with its number, from 1, above. Photos
 * are spread over the classes, columns over the epochs. Shown after crop, augmentation and mixing; a phase on
 * cached features shows the views that they are computed from. Throws USAGE for a phase of 0 epochs.
 */
export async function contactSheet(
  dataset: Dataset,
  { recipe, phase, rows, columns, onProgress }: ContactSheetOptions,
): Promise<Buffer> {
  const { size } = phase
  if (phase.epochs === 0)
    throw new TrainerError(
      'USAGE',
      'the phase has 0 epochs, so a run leaves it out and nothing is fed: choose another with --phase, or --set its epochs',
    )
  await startTensorflow()
  const samples = await readableOf(dataset, rows)
  const epochs = spreadEpochs(phase.epochs, columns)
  const inputs =
    phase.features === 'cached' ? await viewInputs(samples, recipe, phase) : cutInputs(samples, recipe, phase)
  const byEpoch: Uint8Array[][] = []
  for (const epoch of epochs) {
    byEpoch.push(await inputs(epoch))
    onProgress?.(byEpoch.length, epochs.length)
  }
  const pictures = samples.flatMap((_, row) => byEpoch.map((column) => column[row]!))
  const labels = epochs.map((epoch) => `${size < narrow ? '' : 'epoch '}${epoch + 1}`)
  return tiled(pictures, { size, columns: epochs.length, labels }).png().toBuffer()
}

/** Training photos for `rows`, without those that the audit would leave out. Throws DATA_EMPTY where none is left. */
async function readableOf(dataset: Dataset, rows: number): Promise<readonly Sample[]> {
  const chosen = Array.from(spread(dataset.train.length, rows), (index) => dataset.train[index]!)
  const inspections = await inspectAll(chosen, dataset, {})
  const readable = chosen.filter((_, row) => !/^(?:unreadable|truncated)$/.test(inspections[row]?.flaw?.kind ?? ''))
  if (readable.length === 0)
    throw new TrainerError('DATA_EMPTY', `None of ${chosen.length} training photos of "${dataset.root}" can be read.`)
  return readable
}

/** At most `wanted` of the epochs, from 0: the first, the last and others evenly between. */
export function spreadEpochs(epochs: number, wanted: number): number[] {
  const count = Math.min(epochs, wanted)
  return Array.from({ length: count }, (_, index) => Math.round((index * (epochs - 1)) / Math.max(1, count - 1)))
}

/** Pictures of an epoch, from 0, one a sample. */
type Inputs = (epoch: number) => Promise<Uint8Array[]>

/** Cut, augmented and mixed for each epoch. */
function cutInputs(samples: readonly Sample[], recipe: Recipe, phase: Phase): Inputs {
  const { size } = phase
  const count = samples.length
  return async (epoch) => {
    const batches = trainBatches(samples, {
      size,
      batch: count,
      seed: recipe.seed,
      epoch,
      crop: augmentAt(phase, epoch).crop,
      kernel: recipe.preprocessing.kernel,
      order: Int32Array.from(samples.keys()),
    })
    const pictures: Uint8Array[] = []
    for await (const { pixels } of batches) {
      const packed = drawBatch(recipe, phase, { epoch, stream: epoch, first: 0, count })
      pictures.push(...inputPictures(pixels, packed, { size, normalization: recipe.preprocessing }))
    }
    return pictures
  }
}

/** The view of each photo that an epoch draws from the views whose features are cached. */
async function viewInputs(samples: readonly Sample[], recipe: Recipe, phase: Phase): Promise<Inputs> {
  const { size } = phase
  const views = phase.featureViews ?? recipe.views
  const preprocessing = { ...recipe.preprocessing, size }
  const byScale = new Map<number, Uint8Array>()
  for (const scale of scalesOf(views))
    for await (const { pixels } of validBatches(samples, { preprocessing, batch: samples.length, scale }))
      byScale.set(scale, pixels)
  const each = size * size * 3
  return (epoch) =>
    Promise.all(
      samples.map((_, row) => {
        const { flip, scale } = views[new Random(recipe.seed, 'crop', epoch, row).integer(views.length)]!
        return flipped(byScale.get(scale)!.subarray(row * each, (row + 1) * each), size, flip)
      }),
    )
}

async function flipped(pixels: Uint8Array, size: number, flip: View['flip']): Promise<Uint8Array> {
  if (flip === 'none') return pixels
  const picture = sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
  return (flip === 'horizontal' ? picture.flop() : picture.flip()).raw().toBuffer()
}

/** At most `wanted` places, evenly over `length` of them. */
export function spread(length: number, wanted: number): Int32Array {
  const count = Math.min(wanted, length)
  return Int32Array.from({ length: count }, (_, index) => Math.floor((index * length) / count))
}

/**
 * A batch as the network sees it, back from normalised values to bytes, a picture a photo.
 * @param pixels N x size x size x 3, cropped
 * @param packed the result of `packAugmentations` for the N photos
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

/** Square RGB pictures of one size side by side on white, row by row; labels, if any, above the columns. */
function tiled(
  pictures: readonly Uint8Array[],
  { size, columns, labels = [] }: { size: number; columns: number; labels?: readonly string[] },
): Sharp {
  const above = labels.length === 0 ? 0 : labelHeight
  const side = (items: number): number => gap + items * (size + gap)
  const width = side(Math.min(columns, pictures.length))
  const height = above + side(Math.ceil(pictures.length / columns))
  return sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite([
      ...labels.map((label, column) => ({ input: labelPicture(label, size), left: side(column), top: 0 })),
      ...pictures.map((pixels, index) => ({
        input: Buffer.from(pixels),
        raw: { width: size, height: size, channels: 3 },
        left: side(index % columns),
        top: above + side(Math.floor(index / columns)),
      })),
    ])
    .removeAlpha()
}

const labelPicture = (label: string, width: number): Buffer =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${labelHeight}" font-family="sans-serif" font-size="12"><text x="1" y="12">${label}</text></svg>`,
  )

/** Largest side of a picture in `overview`, in pixels. */
const smallSide = 128

/** Square RGB pictures side by side, shrunk if they are large, for a quick look. */
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
  writeOutput(path, await contactSheet(dataset, options))
