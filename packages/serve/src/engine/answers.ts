import type { Canvas } from '@flowers/shared/image/canvas'
import type { View } from '@flowers/shared/image/view'
import type { Answer } from '@flowers/shared/model/calibration'
import type { ViewPolicy } from '@flowers/shared/model/views'
import type { Stopwatch } from '../observe/stopwatch.ts'
import type { ClassMaps } from './messages.ts'

/** What one view said: its best class, and the calibrated probability of that by this view alone. */
export interface ViewAnswer extends View {
  readonly label: string
  readonly index: number
  readonly score: number
}

/** Milliseconds of an image. `decode`: with resizing; `total`: from the headers of the request, all stages. */
export interface Timings {
  readonly decode: number
  readonly queue: number
  readonly infer: number
  readonly total: number
}

/** The answer to one image. */
export interface Classification extends Answer {
  readonly model: { readonly name: string; readonly version: number }
  readonly views: { readonly used: number; readonly of: number; readonly policy: ViewPolicy }
  readonly details?: {
    readonly views: ViewAnswer[]
    /** Share of pictures whose true label is in `set`; null: not fitted. */
    readonly coverage: number | null
  }
  readonly timings: Timings
}

/** Where the model looked for some of its classes, in the plain view of one image. */
export interface Explanation {
  readonly model: { readonly name: string; readonly version: number }
  /** The plain view: the middle of the picture. */
  readonly canvas: Canvas
  readonly height: number
  readonly width: number
  readonly maps: readonly ClassMap[]
  readonly timings: Timings
}

interface ClassMap {
  readonly label: string
  readonly index: number
  readonly logit: number
  /** height x width, row by row: what each place adds to the logit. They sum to it, less a constant of the class. */
  readonly values: Float64Array
}

/** The maps of the classes with these indices, scaled so that a map sums to its logit, less a constant. */
export function classMaps(
  { values, height, width }: ClassMaps,
  logits: ArrayLike<number>,
  labels: readonly string[],
  indices: readonly number[],
): ClassMap[] {
  const places = height * width
  return indices.map((index) => ({
    label: labels[index]!,
    index,
    logit: logits[index]!,
    values: Float64Array.from(values.subarray(index * places, (index + 1) * places), (value) => value / places),
  }))
}

/** The stages that an answer tells of. */
export function timingsOf({ milliseconds, total }: Stopwatch): Timings {
  const { decode, preprocess, queue, infer } = milliseconds
  return { decode: decode + preprocess, queue, infer, total }
}
