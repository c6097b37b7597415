import type { Preprocessing } from '@flowers/shared/preprocessing'
import type { Window } from './crop.ts'

export type Kernel = Preprocessing['kernel']

interface Filter {
  /** Half width, in pixels of the coarser of source and target. */
  readonly support: number
  readonly weight: (distance: number) => number
}

/** The filters of Pillow and libvips: triangle, Catmull-Rom, Lanczos with three lobes. `distance` is not negative. */
const filters: Record<Kernel, Filter> = {
  bilinear: { support: 1, weight: (x) => (x < 1 ? 1 - x : 0) },
  bicubic: {
    support: 2,
    weight: (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0),
  },
  lanczos3: { support: 3, weight: (x) => (x < 3 ? sinc(x) * sinc(x / 3) : 0) },
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** What each target pixel of one axis sums up: `count` weights from source pixel `first` on. */
interface Taps {
  readonly count: number
  readonly first: Int32Array
  /** target x count; rows sum to 1. */
  readonly weights: Float32Array
}

function tapsOf(start: number, length: number, target: number, source: number, filter: Filter): Taps {
  const scale = length / target
  const stretch = Math.max(1, scale)
  const reach = filter.support * stretch
  // Pixels outside the window are not seen, as if it had been cut out first.
  const low = Math.max(0, Math.floor(start))
  const high = Math.min(source, Math.ceil(start + length))
  const count = Math.min(high - low, Math.ceil(2 * reach))
  const first = new Int32Array(target)
  const weights = new Float32Array(target * count)
  for (let index = 0; index < target; index++) {
    const center = start + (index + 0.5) * scale
    const from = Math.min(high - count, Math.max(low, Math.floor(center - reach + 0.5)))
    first[index] = from
    let sum = 0
    for (let tap = 0; tap < count; tap++) {
      const weight = filter.weight(Math.abs(from + tap + 0.5 - center) / stretch)
      weights[index * count + tap] = weight
      sum += weight
    }
    for (let tap = 0; tap < count; tap++) weights[index * count + tap]! /= sum
  }
  return { count, first, weights }
}

/**
 * Resamples a window of `source` (height x width x 3, RGB) to `size` x `size` x 3 into `out` at `offset`, antialiased
 * where it shrinks. The separable convolution of Pillow's `Image.resize`, with a window in fractions of pixels. For
 * photos of a few thousand pixels, where handing the work to libvips costs more than the work.
 */
export function resampleWindow(
  source: { readonly pixels: Uint8Array; readonly width: number; readonly height: number },
  window: Window,
  size: number,
  kernel: Kernel,
  out: Uint8Array,
  offset: number,
): void {
  const filter = filters[kernel]
  const columns = tapsOf(window.left, window.width, size, source.width, filter)
  const rows = tapsOf(window.top, window.height, size, source.height, filter)
  const firstRow = rows.first[0]!
  const lastRow = rows.first[size - 1]! + rows.count
  const stride = size * 3
  const narrowed = narrow(source, columns, firstRow, lastRow, size)
  const sums = new Float32Array(stride)
  for (let y = 0; y < size; y++) {
    sums.fill(0)
    for (let tap = 0; tap < rows.count; tap++) {
      const weight = rows.weights[y * rows.count + tap]!
      if (weight === 0) continue
      const from = (rows.first[y]! + tap - firstRow) * stride
      for (let x = 0; x < stride; x++) sums[x]! += weight * narrowed[from + x]!
    }
    const to = offset + y * stride
    for (let x = 0; x < stride; x++) {
      const value = sums[x]! + 0.5
      out[to + x] = value < 0 ? 0 : value > 255 ? 255 : value
    }
  }
}

let scratch = new Float32Array(0)

/** Space for one resample at a time; a resample is never interrupted. */
function scratchOf(length: number): Float32Array {
  if (scratch.length < length) scratch = new Float32Array(length)
  return scratch
}

/** The horizontal pass over the rows that the vertical pass reads. */
function narrow(
  source: { readonly pixels: Uint8Array; readonly width: number },
  { count, first, weights }: Taps,
  firstRow: number,
  lastRow: number,
  size: number,
): Float32Array {
  const { pixels, width } = source
  const narrowed = scratchOf((lastRow - firstRow) * size * 3)
  let to = 0
  for (let y = firstRow; y < lastRow; y++) {
    for (let x = 0; x < size; x++) {
      let red = 0
      let green = 0
      let blue = 0
      let from = (y * width + first[x]!) * 3
      for (let tap = x * count; tap < (x + 1) * count; tap++) {
        const weight = weights[tap]!
        red += weight * pixels[from]!
        green += weight * pixels[from + 1]!
        blue += weight * pixels[from + 2]!
        from += 3
      }
      narrowed[to++] = red
      narrowed[to++] = green
      narrowed[to++] = blue
    }
  }
  return narrowed
}
