import type { Canvas } from './canvas.ts'
import { decodeImage, type ImageLimits } from './decode.ts'
import type { Preprocessing } from './preprocessing.ts'
import { resample, type RgbImage } from './resample.ts'

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
 * `size` x `size`, so that every scale gives the same size. `out` takes the pixels: size x size x 3 bytes.
 */
export function centerCanvas(image: RgbImage, preprocessing: Preprocessing, scale: number, out?: Uint8Array): Canvas {
  const { size, kernel } = preprocessing
  const { width, height } = resizedSize(image.width, image.height, shortestEdge(preprocessing, scale))
  const crop = { left: centerOffset(width, size), top: centerOffset(height, size), width: size, height: size }
  return { pixels: resample(image, { width, height, kernel, crop }, out), size }
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
