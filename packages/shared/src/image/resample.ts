/** A picture of 8-bit sRGB pixels, upright. */
export interface RgbImage {
  /** height x width x 3, R G B, row by row. */
  readonly pixels: Uint8Array
  readonly width: number
  readonly height: number
}

/** A rectangle, in pixels from the top left corner. */
interface Region {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

export type Kernel = 'bilinear' | 'bicubic' | 'lanczos3'

interface Filter {
  /** Weights are 0 at this distance from the centre and beyond, in input pixels (times the reduction). */
  readonly support: number
  readonly weight: (distance: number) => number
}

/** Triangle, Keys' cubic with a = -0.5 (Catmull-Rom), and sinc windowed by sinc over three lobes. */
const filters: Record<Kernel, Filter> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (signed) => {
      const x = Math.abs(signed)
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0
    },
  },
  lanczos3: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI)
}

export interface ResampleOptions {
  /**
   * What of the picture is resized, fractions of pixels allowed. Only pixels it touches have influence, as if they had
   * been cut out first. Default: all of it.
   */
  readonly region?: Region
  /** Size that the region is resized to, each axis by its own factor. */
  readonly width: number
  readonly height: number
  readonly kernel: Kernel
  /** What of the result is computed and returned, in whole pixels. Default: all of it. */
  readonly crop?: Region
}

/**
 * Resizes by separable convolution with antialiasing: across, then down, 8 bits after each, weights in fixed point.
 * That is the arithmetic of Pillow's `Image.resize` (the resize behind torchvision's transforms), and the pixels are
 * the same bit for bit, on every machine. Returns height x width x 3 of `crop`, in `out` where it is given.
 *
 * Runs in the calling thread: about 0.6 ns for each input pixel, channel and tap (bilinear 2 taps, bicubic 4,
 * lanczos3 6, times the reduction, when reducing). Throws RangeError when a rectangle leaves its picture.
 */
export function resample(image: RgbImage, options: ResampleOptions, out?: Uint8Array): Uint8Array {
  const { width, height, kernel } = options
  const region = options.region ?? { left: 0, top: 0, width: image.width, height: image.height }
  const crop = options.crop ?? { left: 0, top: 0, width, height }
  requireInside(region, image)
  requireInside(crop, options)
  if (![width, height, crop.left, crop.top, crop.width, crop.height].every(Number.isInteger)) {
    throw new RangeError(`The result must be whole pixels, not ${width} x ${height}.`)
  }
  if (image.pixels.length !== image.width * image.height * 3) {
    throw new RangeError(`${image.pixels.length} bytes are not ${image.width} x ${image.height} x 3.`)
  }
  const across = weightsOf(region.left, region.width, width, crop.left, crop.width, filters[kernel])
  const down = weightsOf(region.top, region.height, height, crop.top, crop.height, filters[kernel])

  const top = down.start[0]!
  const rows = down.start[crop.height - 1]! + down.length[crop.height - 1]! - top
  const rowBytes = crop.width * 3
  const narrow = new Uint8Array(rows * rowBytes)
  for (let y = 0; y < rows; y++) {
    resampleRow(image.pixels, (top + y) * image.width * 3, across, narrow, y * rowBytes)
  }

  const result = out ?? new Uint8Array(crop.height * rowBytes)
  const sums = new Int32Array(rowBytes)
  for (let y = 0; y < crop.height; y++) {
    mixRows(narrow, (down.start[y]! - top) * rowBytes, down, y, sums, result, y * rowBytes)
  }
  return result
}

function requireInside(inner: Region, outer: { width: number; height: number }): void {
  const { left, top, width, height } = inner
  const inside = left >= 0 && top >= 0 && left + width <= outer.width && top + height <= outer.height
  if (!inside || !(width > 0) || !(height > 0)) {
    throw new RangeError(`${width} x ${height} at ${left}, ${top} is not within ${outer.width} x ${outer.height}.`)
  }
}

/** For each output pixel: the first input pixel it mixes, how many, and their weights. */
interface Weights {
  readonly start: Int32Array
  readonly length: Int32Array
  /** `taps` values for each output pixel, in units of 2^-22. */
  readonly values: Int32Array
  readonly taps: number
}

/** 32 bits hold 8 of a pixel, 2 of headroom for the negative lobes, and these. */
const fractionBits = 22
const one = 1 << fractionBits
const half = one >> 1

/** Weights along one axis: `length` pixels from `from` become `to`, of which `count` from `first` on are wanted. */
function weightsOf(from: number, length: number, to: number, first: number, count: number, filter: Filter): Weights {
  const low = Math.floor(from)
  const touched = Math.ceil(from + length) - low
  const scale = length / to
  const stretch = Math.max(scale, 1)
  const unchanged = from === low && scale === 1
  const support = unchanged ? 0.5 : filter.support * stretch
  const taps = unchanged ? 1 : Math.ceil(support) * 2 + 1
  const start = new Int32Array(count)
  const counts = new Int32Array(count)
  const values = new Int32Array(count * taps)
  const exact = new Float64Array(taps)
  for (let index = 0; index < count; index++) {
    const center = from - low + (first + index + 0.5) * scale
    const begin = Math.max(0, Math.trunc(center - support + 0.5))
    const end = Math.min(touched, Math.trunc(center + support + 0.5))
    let sum = 0
    for (let tap = 0; tap < end - begin; tap++) {
      sum += exact[tap] = filter.weight((begin + tap - center + 0.5) * (1 / stretch))
    }
    for (let tap = 0; tap < end - begin; tap++) {
      const value = (exact[tap]! / sum) * one
      values[index * taps + tap] = Math.trunc(value < 0 ? value - 0.5 : value + 0.5)
    }
    start[index] = low + begin
    counts[index] = end - begin
  }
  return { start, length: counts, values, taps }
}

function clip(sum: number): number {
  const value = sum >> fractionBits
  return value < 0 ? 0 : value > 255 ? 255 : value
}

function resampleRow(pixels: Uint8Array, source: number, weights: Weights, out: Uint8Array, target: number): void {
  const { start, length, values, taps } = weights
  for (let x = 0; x < start.length; x++, target += 3) {
    let red = half
    let green = half
    let blue = half
    let from = source + start[x]! * 3
    const end = x * taps + length[x]!
    for (let tap = x * taps; tap < end; tap++, from += 3) {
      const weight = values[tap]!
      red = (red + Math.imul(pixels[from]!, weight)) | 0
      green = (green + Math.imul(pixels[from + 1]!, weight)) | 0
      blue = (blue + Math.imul(pixels[from + 2]!, weight)) | 0
    }
    out[target] = clip(red)
    out[target + 1] = clip(green)
    out[target + 2] = clip(blue)
  }
}

function mixRows(
  rows: Uint8Array,
  source: number,
  weights: Weights,
  y: number,
  sums: Int32Array,
  out: Uint8Array,
  target: number,
): void {
  sums.fill(half)
  for (let tap = 0; tap < weights.length[y]!; tap++) {
    const weight = weights.values[y * weights.taps + tap]!
    const row = source + tap * sums.length
    for (let x = 0; x < sums.length; x++) sums[x] = (sums[x]! + Math.imul(rows[row + x]!, weight)) | 0
  }
  for (let x = 0; x < sums.length; x++) out[target + x] = clip(sums[x]!)
}
