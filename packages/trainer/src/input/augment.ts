import type { AugmentOptions } from '../recipe/schema.ts'
import type { Random } from '@flowers/shared/random'

/**
 * The augmentation of one photo, applied inside the traced step.
 * `geometry`: eight numbers a0 a1 a2 b0 b1 b2 c0 c1 of TensorFlow's projective transform; an output pixel (x, y) takes
 * the input's value at (a0 x + a1 y + a2, b0 x + b1 y + b2).
 * `color`: rows of a 3 x 4 matrix; output = M rgb + offset on values in [0, 1].
 * `erased`: y0, x0, y1, x1 in pixels; empty when y1 <= y0.
 */
export interface Augmentation {
  readonly geometry: readonly number[]
  readonly color: readonly number[]
  readonly erased: readonly [number, number, number, number]
}

type Matrix = readonly (readonly number[])[]

const multiply = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => b[0]!.map((_, column) => row.reduce((sum, value, index) => sum + value * b[index]![column]!, 0)))

const degrees = Math.PI / 180

/** Between -limit and limit. */
const symmetric = (random: Random, limit: number): number => (2 * random.uniform() - 1) * limit

const logUniform = (random: Random, [low, high]: readonly [number, number]): number =>
  low * (high / low) ** random.uniform()

/** The options at a strength in [0, 1]: amplitudes and the erasing's probability shrink, a `randomResizedCrop` grows towards the whole photo. */
export function atStrength(options: AugmentOptions, strength: number): AugmentOptions {
  const { crop, affine, color, erasing } = options
  const towardsOne = (value: number): number => value ** strength
  const towardsWhole = (area: number): number => 1 - (1 - area) * strength
  return {
    ...options,
    crop:
      crop.kind === 'randomResizedCrop'
        ? { ...crop, scale: [towardsWhole(crop.scale[0]), towardsWhole(crop.scale[1])] }
        : crop,
    rotation: options.rotation * strength,
    affine: {
      translate: affine.translate * strength,
      shear: affine.shear * strength,
      scale: [towardsOne(affine.scale[0]), towardsOne(affine.scale[1])],
    },
    color: {
      brightness: color.brightness * strength,
      contrast: color.contrast * strength,
      saturation: color.saturation * strength,
      hue: color.hue * strength,
    },
    erasing: { ...erasing, probability: erasing.probability * strength },
  }
}

/** Flip, rotation, shear, scale and shift about the centre of a square of this size, as one matrix from output to input pixels. */
export function drawGeometry(options: AugmentOptions, size: number, random: Random): number[] {
  const flipX = random.uniform() < options.horizontalFlip ? -1 : 1
  const flipY = random.uniform() < options.verticalFlip ? -1 : 1
  const angle = symmetric(random, options.rotation) * degrees
  const shear = Math.tan(symmetric(random, options.affine.shear) * degrees)
  const scale = 1 / logUniform(random, options.affine.scale)
  const shiftX = symmetric(random, options.affine.translate) * size
  const shiftY = symmetric(random, options.affine.translate) * size
  const linear = multiply(
    multiply(
      [
        [flipX, 0],
        [0, flipY],
      ],
      [
        [Math.cos(angle) * scale, -Math.sin(angle) * scale],
        [Math.sin(angle) * scale, Math.cos(angle) * scale],
      ],
    ),
    [
      [1, shear],
      [0, 1],
    ],
  )
  const centre = (size - 1) / 2
  const offset = linear.map((row, index) => centre + (index === 0 ? shiftX : shiftY) - (row[0]! + row[1]!) * centre)
  return [linear[0]![0]!, linear[0]![1]!, offset[0]!, linear[1]![0]!, linear[1]![1]!, offset[1]!, 0, 0]
}

/** Whether `drawGeometry` can draw anything but the identity. */
export const movesPixels = ({ horizontalFlip, verticalFlip, rotation, affine }: AugmentOptions): boolean =>
  horizontalFlip + verticalFlip + rotation + affine.translate + affine.shear > 0 ||
  affine.scale.some((scale) => scale !== 1)

/** Luma of Rec. 601, the grey that saturation mixes with. */
const luma = [0.299, 0.587, 0.114] as const

/** Rotation about the grey axis by `turns` (Rodrigues' formula with axis (1, 1, 1) / sqrt 3): keeps greys and R + G + B. */
export function hueMatrix(turns: number): number[][] {
  const cosine = Math.cos(2 * Math.PI * turns)
  const sine = Math.sin(2 * Math.PI * turns) / Math.sqrt(3)
  const shared = (1 - cosine) / 3
  const [same, next, last] = [cosine + shared, shared - sine, shared + sine]
  return [
    [same, next, last],
    [last, same, next],
    [next, last, same],
  ]
}

/**
 * The whole colour change as one affine map: brightness scales, contrast pulls towards middle grey, saturation mixes with
 * the luma, hue turns about the grey axis, in this order.
 * @returns twelve numbers, row by row: three of the matrix, then the offset
 */
export function colorMatrix(brightness: number, contrast: number, saturation: number, hue: number): number[] {
  const gain = brightness * contrast
  const offset = 0.5 * (1 - contrast)
  const mix = [0, 1, 2].map((row) =>
    luma.map((weight, column) => (1 - saturation) * weight + (row === column ? saturation : 0)),
  )
  const matrix = multiply(hueMatrix(hue), mix)
  return matrix.flatMap((row) => [
    ...row.map((value) => value * gain),
    offset * row.reduce((sum, value) => sum + value, 0),
  ])
}

function drawColor(options: AugmentOptions['color'], random: Random): number[] {
  const factor = (limit: number): number => 1 + symmetric(random, limit)
  return colorMatrix(
    factor(options.brightness),
    factor(options.contrast),
    factor(options.saturation),
    symmetric(random, options.hue),
  )
}

/** Random erasing (arXiv 1708.04896): area share from the range, side ratio log-uniform in [0.3, 1/0.3], somewhere inside. */
export function drawErased(
  options: AugmentOptions['erasing'],
  size: number,
  random: Random,
): [number, number, number, number] {
  const draw = (): number => random.uniform()
  const [chance, share, ratio, y, x] = [draw(), draw(), draw(), draw(), draw()]
  if (chance >= options.probability) return [0, 0, 0, 0]
  const area = (options.area[0] + share * (options.area[1] - options.area[0])) * size * size
  const aspect = 0.3 * (1 / 0.09) ** ratio
  const height = Math.min(size, Math.max(1, Math.round(Math.sqrt(area * aspect))))
  const width = Math.min(size, Math.max(1, Math.round(Math.sqrt(area / aspect))))
  const top = Math.floor(y * (size - height + 1))
  const left = Math.floor(x * (size - width + 1))
  return [top, left, top + height, left + width]
}

/** Draws everything for one photo. Each option draws the same count of numbers on or off, so that none shifts another's stream. */
export function drawAugmentation(options: AugmentOptions, size: number, random: Random): Augmentation {
  return {
    geometry: drawGeometry(options, size, random),
    color: drawColor(options.color, random),
    erased: drawErased(options.erasing, size, random),
  }
}
