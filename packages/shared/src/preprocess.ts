import { decodeImage } from './image.ts'
import type { ImageLimits } from './image.ts'
import type { Preprocessing } from './preprocessing.ts'
import { resample } from './resample.ts'
import type { RgbImage } from './resample.ts'
import type { View } from './views.ts'

/** One square picture at the model's input size, before normalisation. */
export interface Canvas {
  /** size x size x 3, R G B, row by row. */
  readonly pixels: Uint8Array
  /** Side in pixels. */
  readonly size: number
}

/** Length of the shortest edge after resizing, for a view of this scale. */
export function shortestEdge(preprocessing: Pick<Preprocessing, 'size' | 'cropFraction'>, scale: number): number {
  return Math.round((preprocessing.size * scale) / preprocessing.cropFraction)
}

/**
 * Width and height after the shortest edge is resized to `shortest`: the other edge keeps the ratio, cut to whole
 * pixels as torchvision's `Resize` does.
 */
export function resizedSize(width: number, height: number, shortest: number): { width: number; height: number } {
  return width <= height
    ? { width: shortest, height: Math.max(shortest, Math.trunc((shortest * height) / width)) }
    : { width: Math.max(shortest, Math.trunc((shortest * width) / height)), height: shortest }
}

/** Where the centre `size` pixels of `length` begin: half the rest, a half rounded to even, as torchvision's `CenterCrop`. */
export function centerOffset(length: number, size: number): number {
  const half = (length - size) / 2
  const below = Math.floor(half)
  return half === below ? half : below + (below % 2)
}

/**
 * The centre canvas of one scale: shortest edge to `shortestEdge(preprocessing, scale)`, then the centre
 * `size` x `size`, so that every scale gives the same size.
 */
export function centerCanvas(image: RgbImage, preprocessing: Preprocessing, scale: number): Canvas {
  const { size, kernel } = preprocessing
  const { width, height } = resizedSize(image.width, image.height, shortestEdge(preprocessing, scale))
  const crop = { left: centerOffset(width, size), top: centerOffset(height, size), width: size, height: size }
  return { pixels: resample(image, { width, height, kernel, crop }), size }
}

/**
 * One decode, one resize for each scale; canvases in the order of `scales` (each at least 1).
 * Throws the IMAGE_ errors of `decodeImage`.
 */
export async function decodeViews(
  bytes: Uint8Array,
  preprocessing: Preprocessing,
  scales: readonly number[],
  limits?: ImageLimits,
): Promise<Canvas[]> {
  const image = await decodeImage(bytes, limits)
  return scales.map((scale) => centerCanvas(image, preprocessing, scale))
}

/** The plain view (scale 1) alone. Throws the IMAGE_ errors of `decodeImage`. */
export async function decodeCenter(
  bytes: Uint8Array,
  preprocessing: Preprocessing,
  limits?: ImageLimits,
): Promise<Canvas> {
  return centerCanvas(await decodeImage(bytes, limits), preprocessing, 1)
}

/**
 * Normalises a canvas into `out` at `offset`: 3 x size x size float32, channel after channel (NCHW), flipped by
 * index arithmetic. Values are `(pixel / 255 - mean) / std`.
 */
export function toTensor(
  canvas: Canvas,
  flip: View['flip'],
  preprocessing: Pick<Preprocessing, 'mean' | 'std'>,
  out: Float32Array,
  offset = 0,
): void {
  const { pixels, size } = canvas
  const plane = size * size
  if (pixels.length !== plane * 3 || offset < 0 || out.length < offset + plane * 3) {
    throw new RangeError(`A canvas of ${size} x ${size} x 3 does not fit ${out.length} values at ${offset}.`)
  }
  const [red, green, blue] = normalizationTables(preprocessing)
  const step = flip === 'horizontal' ? -3 : 3
  let target = offset
  for (let y = 0; y < size; y++) {
    const row = (flip === 'vertical' ? size - 1 - y : y) * size * 3
    let source = flip === 'horizontal' ? row + (size - 1) * 3 : row
    for (let x = 0; x < size; x++, target++, source += step) {
      out[target] = red[pixels[source]!]!
      out[target + plane] = green[pixels[source + 1]!]!
      out[target + 2 * plane] = blue[pixels[source + 2]!]!
    }
  }
}

type Tables = readonly [Float32Array, Float32Array, Float32Array]
const tablesOf = new WeakMap<object, Tables>()

function normalizationTables(preprocessing: Pick<Preprocessing, 'mean' | 'std'>): Tables {
  const known = tablesOf.get(preprocessing)
  if (known) return known
  const table = (channel: 0 | 1 | 2): Float32Array =>
    Float32Array.from(
      { length: 256 },
      (_, value) => (value / 255 - preprocessing.mean[channel]) / preprocessing.std[channel],
    )
  const tables: Tables = [table(0), table(1), table(2)]
  tablesOf.set(preprocessing, tables)
  return tables
}
