import type { Preprocessing } from './preprocessing.ts'
import type { View } from './view.ts'

/** One square picture at the model's input size, before normalisation. */
export interface Canvas {
  /** size x size x 3, R G B, row by row. */
  readonly pixels: Uint8Array
  /** Side in pixels. */
  readonly size: number
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
