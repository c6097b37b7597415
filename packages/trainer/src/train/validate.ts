import * as tf from '@tensorflow/tfjs-core'
import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import { scalesOf, sixViews, threeViews, type View } from '@flowers/shared/image/view'
import type { Sample } from '../dataset/dataset.ts'
import type { Normalization } from '../input/apply-augment.ts'
import { validBatches, type Batch } from '../input/loader.ts'
import type { Model } from '../model/architecture.ts'
import { inference } from '../model/inference.ts'
import { bytes, castToFloat, compile, type Compiled, type Variable } from '@flowers/tensorflow'
import { padded } from './padded.ts'
import { TrainingVariables } from './variables.ts'

export interface Validation {
  /** Share of photos whose own label is on top, the first of equals, in [0, 1]. */
  readonly accuracy: number
  /** Mean cross-entropy of the mean probability, nats. */
  readonly loss: number
  /** Probability of its own label for each photo, in [0, 1]. */
  readonly own: readonly number[]
}

/** Sum of the probabilities [N, K] over some flips of one scale; input uint8 [N, S, S, 3]. */
type Scorer = Compiled<[tf.Tensor], { probabilities: tf.Tensor }>

/** The views of test-time augmentation by their names in a recipe. */
export const ttaViews = { three: threeViews, six: sixViews } as const

/** Photos that a forward pass of validation may hold: 32, or as many pixels as 8 photos at 576 px. */
export const photosAtOnce = (size: number): number => Math.max(1, Math.min(32, Math.floor((8 * 576 ** 2) / size ** 2)))

const flipAxis = { none: null, horizontal: 2, vertical: 1 } as const satisfies Record<View['flip'], number | null>

/** Images [N, S, S, C] of a view's flip. */
export function flipped(images: tf.Tensor, flip: View['flip']): tf.Tensor {
  const axis = flipAxis[flip]
  return axis === null ? images : tf.reverse(images, axis)
}

/** Photos uint8 [N, S, S, 3] as the input of a network. */
export const normalized = (photos: tf.Tensor, { mean, std }: Normalization): tf.Tensor =>
  tf.div(tf.sub(tf.div(castToFloat(photos), 255), mean), std)

/** The rows of a matrix whose values lie one row after the other; they share its memory. */
export function rowsOf<T extends Float32Array | Uint8Array>(values: T, rows: number): T[] {
  const each = values.length / rows
  return Array.from({ length: rows }, (_, row) => values.subarray(row * each, (row + 1) * each) as T)
}

/** Adds a row to the sum of its photo. */
export function addRow(sums: Float32Array[], photo: number, row: Float32Array): void {
  sums[photo] = sums[photo]?.map((value, place) => value + row[place]!) ?? row
}

/** Whether a class has the largest probability, and is the first of equals: the answer that argMax gives in the step. */
export function isAnswer(probabilities: Float32Array, index: number): boolean {
  const own = probabilities[index]!
  return probabilities.every((other, place) => (place < index ? other < own : other <= own))
}

/** Accuracy and loss of photos whose class probabilities were summed over views; `sums` has a row for each photo. */
export function summarize(sums: readonly Float32Array[], samples: readonly Sample[], views: number): Validation {
  let correct = 0
  let loss = 0
  const own = sums.map((sum, position) => {
    const { index } = samples[position]!
    const value = sum[index]!
    if (isAnswer(sum, index)) correct++
    loss -= Math.log(Math.max(value / views, 1e-12))
    return value / views
  })
  return { accuracy: correct / sums.length, loss: loss / sums.length, own }
}

/** Scores photos with the values that variables have when a scorer runs. */
export class Scorers {
  /** Scorers of fixed values by parameter. */
  static of(model: Model, values: ReadonlyMap<string, Float32Array>, normalization: Normalization): Scorers {
    const variables = new TrainingVariables(model, [], values, [])
    return new Scorers(model, (name) => variables.weight(name), normalization, variables)
  }

  readonly #owned: TrainingVariables | undefined
  readonly #scorers = new Map<string, Scorer>()
  readonly #compile: (flips: readonly View['flip'][]) => Scorer

  constructor(
    model: Model,
    variable: (name: string) => Variable,
    normalization: Normalization,
    owned?: TrainingVariables,
  ) {
    this.#owned = owned
    this.#compile = (flips) =>
      compile(
        (photos: tf.Tensor) => {
          const values = new Map(model.parameters.map(({ name }) => [name, variable(name).read()]))
          const context = inference((name) => values.get(name)!)
          const images = normalized(photos, normalization)
          const probabilities = flips.map((flip) => {
            return tf.softmax(model.classify(model.featureMap(flipped(images, flip), context), context))
          })
          return { probabilities: tf.sum(tf.stack(probabilities), 0) }
        },
        { name: 'score' },
      )
  }

  for(flips: readonly View['flip'][]): Scorer {
    const key = flips.join()
    const known = this.#scorers.get(key) ?? this.#compile(flips)
    this.#scorers.set(key, known)
    return known
  }

  dispose(): void {
    for (const scorer of this.#scorers.values()) scorer.dispose()
    this.#owned?.dispose()
  }
}

/** Bytes of decoded validation batches that are held in memory from epoch to epoch. */
export const heldBytes = 256 * 2 ** 20

/** The validation photos at one size, decoded once if they fit in memory, else in each epoch. */
export class ValidationSet {
  readonly #samples: readonly Sample[]
  readonly #options: { readonly preprocessing: Preprocessing; readonly batch: number }
  readonly #held = new Map<number, Batch[]>()
  #free = heldBytes

  constructor(samples: readonly Sample[], options: { preprocessing: Preprocessing; batch: number }) {
    this.#samples = samples
    this.#options = options
  }

  /**
   * Accuracy and loss of the mean probability over views, through the preprocessing of the service. Stops between batches
   * when the signal aborts, throwing its reason.
   */
  async score(scorers: Scorers, views: readonly View[], signal: AbortSignal): Promise<Validation> {
    return summarize(await this.probabilities(scorers, views, signal), this.#samples, 1)
  }

  /** The mean probabilities over views, a row for each photo in the order of the samples. Stops as `score` does. */
  async probabilities(scorers: Scorers, views: readonly View[], signal: AbortSignal): Promise<Float32Array[]> {
    const sums: Float32Array[] = []
    for (const scale of scalesOf(views)) {
      const scorer = scorers.for(views.filter((view) => view.scale === scale).map(({ flip }) => flip))
      let position = 0
      for await (const batch of this.#batches(scale)) {
        signal.throwIfAborted()
        for (const row of await this.#probabilities(scorer, batch)) {
          addRow(sums, position++, row)
        }
      }
    }
    return sums.map((sum) => sum.map((value) => value / views.length))
  }

  /** A row for each photo. */
  async #probabilities(scorer: Scorer, { pixels, labels }: Batch): Promise<Float32Array[]> {
    const { batch: width, preprocessing } = this.#options
    const { size } = preprocessing
    const photos = bytes(padded(pixels, width * size * size * 3), [width, size, size, 3])
    const { probabilities } = await scorer.run(photos)
    const rows = rowsOf((await probabilities.data()) as Float32Array, width)
    tf.dispose([photos, probabilities])
    return rows.slice(0, labels.length)
  }

  async *#batches(scale: number): AsyncGenerator<Batch> {
    const known = this.#held.get(scale)
    if (known) {
      yield* known
      return
    }
    const taken = this.#samples.length * this.#options.preprocessing.size ** 2 * 3
    const held: Batch[] | null = taken <= this.#free ? [] : null
    for await (const batch of validBatches(this.#samples, { ...this.#options, scale })) {
      held?.push(batch)
      yield batch
    }
    if (!held) return
    this.#free -= taken
    this.#held.set(scale, held)
  }
}
