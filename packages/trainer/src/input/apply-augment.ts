import { Random } from '@flowers/shared/random'
import * as tf from '@tensorflow/tfjs-core'
import { rawOp } from '@flowers/tensorflow'
import { rampValue } from '../optim/schedule.ts'
import type { Phase, Recipe } from '../recipe/schema.ts'
import { atStrength, drawAugmentation, type Augmentation } from './augment.ts'
import { drawMix, type Mix } from './mix.ts'

/** Numbers that describe the augmentation of a photo in the step, in this order. */
const fields = { geometry: 8, color: 12, erased: 4, mix: 7 } as const
/** Numbers that a photo takes into the step. */
export const packedWidth = Object.values(fields).reduce((sum, count) => sum + count, 0)

export interface Normalization {
  readonly mean: readonly [number, number, number]
  readonly std: readonly [number, number, number]
}

/**
 * Packs the augmentations of a batch as one array [N, 31]. The normalisation is folded into the colour
 * matrix, so the step applies a single affine map to values in [0, 255].
 */
export function packAugmentations(
  augmentations: readonly Augmentation[],
  mixes: readonly Mix[],
  { mean, std }: Normalization,
): Float32Array {
  const packed = new Float32Array(augmentations.length * packedWidth)
  augmentations.forEach(({ geometry, color, erased }, index) => {
    const { outside, inside, box, lam } = mixes[index]!
    const normalized = color.map((value, place) => {
      const channel = Math.floor(place / 4)
      return place % 4 === 3 ? (value - mean[channel]!) / std[channel]! : value / 255 / std[channel]!
    })
    packed.set([...geometry, ...normalized, ...erased, outside, inside, ...box, lam], index * packedWidth)
  })
  return packed
}

/** The augmentation of a phase in an epoch, from 0: its strength may be a ramp. */
export const augmentAt = ({ augment, epochs }: Phase, epoch: number): Phase['augment'] =>
  atStrength(augment, rampValue(augment.strength, epoch, epochs))

/**
 * Draws augmentation and mixing of a batch, packed as [N, 31]. `first`: place of the batch's first photo in the epoch;
 * `stream`: address of the epoch in the random streams.
 */
export function drawBatch(
  { seed, preprocessing }: Pick<Recipe, 'seed' | 'preprocessing'>,
  phase: Phase,
  { epoch, stream, first, count }: { epoch: number; stream: number; first: number; count: number },
): Float32Array {
  const { size, mix, epochs } = phase
  const augment = augmentAt(phase, epoch)
  const places = Array.from({ length: count }, (_, index) => first + index)
  return packAugmentations(
    places.map((place) => drawAugmentation(augment, size, new Random(seed, 'augment', stream, place))),
    places.map((place) => drawMix(mix, { epoch, epochs }, size, new Random(seed, 'mix', stream, place))),
    preprocessing,
  )
}

type Four<T> = [T, T, T, T]

/** 1 inside the boxes, 0 outside. `boxes` [N, 4] as y0, x0, y1, x1 in pixels; result [N, S, S, 1]. */
function boxMask(boxes: tf.Tensor, size: number): tf.Tensor {
  const [y0, x0, y1, x1] = tf.split(tf.reshape(boxes, [-1, 1, 1, 4]), 4, 3) as Four<tf.Tensor>
  const places = tf.range(0, size, 1, 'float32')
  const rows = tf.reshape(places, [1, size, 1, 1])
  const columns = tf.reshape(places, [1, 1, size, 1])
  const within = (place: tf.Tensor, low: tf.Tensor, high: tf.Tensor) =>
    tf.logicalAnd(tf.greaterEqual(place, low), tf.less(place, high))
  return tf.cast(tf.logicalAnd(within(rows, y0, y1), within(columns, x0, x1)), 'float32')
}

/** TensorFlow's projective transform, bilinear with mirrored borders; the kernels of tfjs for Node have none. */
function resampled(images: tf.Tensor4D, geometry: tf.Tensor2D): tf.Tensor {
  const attributes = [
    { name: 'dtype', type: 'type', value: 'float32' },
    { name: 'interpolation', type: 'string', value: 'BILINEAR' },
    { name: 'fill_mode', type: 'string', value: 'REFLECT' },
  ] as const
  const [, height, width] = images.shape
  return rawOp(
    'ImageProjectiveTransformV3',
    attributes,
    [images, geometry, tf.tensor1d([height, width], 'int32'), tf.scalar(0)],
    1,
  )[0]!
}

export interface ApplyOptions {
  /** False leaves the resampling out of the graph: nothing but identities are drawn. */
  readonly geometry: boolean
  readonly erasing: boolean
  readonly mixing: boolean
}

/**
 * Photos [N, S, S, 3] in [0, 255] to normalised training input: one bilinear resample with mirrored borders, one colour
 * matrix, erased boxes set to the mean colour, then MixUp or CutMix with the mirrored batch.
 * @returns the images and `lam` [N, 1], the weight of each photo's own label
 */
export function applyAugmentations(
  images: tf.Tensor4D,
  packed: tf.Tensor2D,
  options: ApplyOptions,
): { images: tf.Tensor4D; lam: tf.Tensor2D } {
  const [count, size] = images.shape
  const [geometry, color, erased, mix] = tf.split(packed, Object.values(fields), 1) as Four<tf.Tensor2D>
  const moved = options.geometry ? resampled(images, geometry) : images
  const rows = tf.reshape(color, [count, 3, 4])
  const matrix = tf.slice(rows, [0, 0, 0], [count, 3, 3])
  const offset = tf.reshape(tf.slice(rows, [0, 0, 3], [count, 3, 1]), [count, 1, 3])
  const flat = tf.reshape(moved, [count, size * size, 3])
  const colored = tf.reshape(tf.add(tf.matMul(flat, matrix, false, true), offset), [count, size, size, 3])
  const kept = options.erasing ? tf.mul(colored, tf.sub(1, boxMask(erased, size))) : colored
  const [outside, inside, box, lam] = tf.split(mix, [1, 1, 4, 1], 1) as Four<tf.Tensor2D>
  if (!options.mixing) return { images: kept as tf.Tensor4D, lam }
  const spread = (values: tf.Tensor2D) => tf.reshape(values, [count, 1, 1, 1])
  const weight = tf.add(spread(outside), tf.mul(tf.sub(spread(inside), spread(outside)), boxMask(box, size)))
  const partner = tf.reverse(kept, 0)
  return { images: tf.add(partner, tf.mul(weight, tf.sub(kept, partner))), lam }
}
