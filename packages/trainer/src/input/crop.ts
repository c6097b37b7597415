import type { Random } from '@flowers/shared/random'

/** How a training photo becomes a square. Every kind resamples exactly once. */
export type CropOptions =
  | {
      /** torchvision's RandomResizedCrop: a window of random area and aspect ratio. */
      readonly kind: 'randomResizedCrop'
      /** Share of the photo's area, from and to. */
      readonly scale: readonly [number, number]
      /** Width over height, from and to; drawn evenly in its logarithm. */
      readonly ratio: readonly [number, number]
    }
  | {
      /** Shortest edge to `round(size * enlarge)`, then a random square of `size`. At least 1. */
      readonly kind: 'resizeRandomCrop'
      readonly enlarge: number
    }
  | {
      /** Shortest edge to `round(size / cropFraction)`, then the centre square of `size`, as in evaluation. */
      readonly kind: 'center'
      readonly cropFraction: number
    }

/** A part of a photo in its own pixels; not always whole ones. */
export interface Window {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Where a photo of `width` x `height` is cut, in source pixels, before it is resampled to `size` x `size`. */
export function cropWindow(crop: CropOptions, width: number, height: number, size: number, random: Random): Window {
  if (crop.kind === 'randomResizedCrop') return randomResizedWindow(crop, width, height, random)
  const enlarged = crop.kind === 'center' ? Math.round(size / crop.cropFraction) : Math.round(size * crop.enlarge)
  const side = (Math.min(width, height) * size) / Math.max(size, enlarged)
  const [x, y] = crop.kind === 'center' ? [0.5, 0.5] : [random.uniform(), random.uniform()]
  return { left: (width - side) * x, top: (height - side) * y, width: side, height: side }
}

const attempts = 10

/** `RandomResizedCrop.get_params` of torchvision: ten tries, then the largest centre window of an allowed ratio. */
function randomResizedWindow(
  { scale, ratio }: Extract<CropOptions, { kind: 'randomResizedCrop' }>,
  width: number,
  height: number,
  random: Random,
): Window {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = width * height * random.between(...scale)
    const aspect = Math.exp(random.between(Math.log(ratio[0]), Math.log(ratio[1])))
    const w = roundHalfToEven(Math.sqrt(area * aspect))
    const h = roundHalfToEven(Math.sqrt(area / aspect))
    if (w > 0 && w <= width && h > 0 && h <= height) {
      const top = random.integer(height - h + 1)
      const left = random.integer(width - w + 1)
      return { left, top, width: w, height: h }
    }
  }
  const aspect = width / height
  const w = aspect > ratio[1] ? roundHalfToEven(height * ratio[1]) : width
  const h = aspect < ratio[0] ? roundHalfToEven(width / ratio[0]) : height
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h }
}

/** Python's `round`. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value)
  return value - below === 0.5 ? below + (below % 2) : Math.round(value)
}

/** The window in whole pixels, inside the photo. */
export function wholePixels(window: Window, width: number, height: number): Window {
  const w = Math.min(width, Math.max(1, Math.round(window.width)))
  const h = Math.min(height, Math.max(1, Math.round(window.height)))
  const left = Math.min(width - w, Math.max(0, Math.round(window.left)))
  const top = Math.min(height - h, Math.max(0, Math.round(window.top)))
  return { left, top, width: w, height: h }
}
