import * as tf from '@tensorflow/tfjs-core'
import type { Preprocessing } from '@flowers/shared/preprocessing'
import type { Sample } from '../data/dataset.ts'
import { validBatches } from '../data/loader.ts'
import type { Batch } from '../data/loader.ts'
import type { Model } from '../model/architecture.ts'
import { bytes, castToFloat, compile } from '../tensorflow/index.ts'
import type { Compiled, Variable } from '../tensorflow/index.ts'

export interface Validation {
  /** Share of photos whose own label is on top, in [0, 1]. */
  readonly accuracy: number
  /** Mean cross-entropy of the mean probability, nats. */
  readonly loss: number
}

/** Mean probability [N, K] over the plain view and, where asked for, its mirror image; input uint8 [N, S, S, 3]. */
export type Scorer = Compiled<[tf.Tensor], { probabilities: tf.Tensor }>

export function compileScorer(
  model: Model,
  variable: (name: string) => Variable,
  { mean, std }: Pick<Preprocessing, 'mean' | 'std'>,
  flipped: boolean,
): Scorer {
  return compile(
    (photos: tf.Tensor) => {
      const values = new Map(model.parameters.map(({ name }) => [name, variable(name).read()]))
      const context = { parameter: (name: string) => values.get(name)!, training: false, uniform: () => tf.scalar(0) }
      const images = tf.div(tf.sub(tf.div(castToFloat(photos), 255), mean), std)
      const views = flipped ? [images, tf.reverse(images, 2)] : [images]
      const probabilities = views.map((view) => tf.softmax(model.classify(model.featureMap(view, context), context)))
      return { probabilities: tf.div(tf.addN(probabilities), views.length) }
    },
    { name: 'score' },
  )
}

/** Decoded validation batches up to this size are held in memory from epoch to epoch. */
const heldBytes = 256 * 2 ** 20

/** The validation photos at one size; decoded once where they fit in memory, anew in each epoch where not. */
export class ValidationSet {
  readonly #samples: readonly Sample[]
  readonly #options: { readonly preprocessing: Preprocessing; readonly batch: number }
  #held: Batch[] | undefined

  constructor(samples: readonly Sample[], options: { preprocessing: Preprocessing; batch: number }) {
    this.#samples = samples
    this.#options = options
  }

  /** Accuracy and loss. Stops between batches when the signal aborts, throwing its reason. */
  async score(scorer: Scorer, signal: AbortSignal): Promise<Validation> {
    const { preprocessing, batch: width } = this.#options
    const { size } = preprocessing
    let correct = 0
    let loss = 0
    for await (const batch of this.#batches()) {
      signal.throwIfAborted()
      const count = batch.labels.length
      // A short last batch is padded: another shape would be traced anew.
      const padded = new Uint8Array(width * size * size * 3)
      padded.set(batch.pixels)
      const photos = bytes(padded, [width, size, size, 3])
      const { probabilities } = await scorer.run(photos)
      const values = (await probabilities.data()) as Float32Array
      tf.dispose([photos, probabilities])
      const classes = values.length / width
      for (let index = 0; index < count; index++) {
        const row = values.subarray(index * classes, (index + 1) * classes)
        const own = row[batch.labels[index]!]!
        if (row.every((value) => value <= own)) correct++
        loss -= Math.log(Math.max(own, 1e-12))
      }
    }
    return { accuracy: correct / this.#samples.length, loss: loss / this.#samples.length }
  }

  async *#batches(): AsyncGenerator<Batch> {
    if (this.#held) {
      yield* this.#held
      return
    }
    const fits = this.#samples.length * this.#options.preprocessing.size ** 2 * 3 <= heldBytes
    const held: Batch[] = []
    for await (const batch of validBatches(this.#samples, this.#options)) {
      if (fits) held.push(batch)
      yield batch
    }
    if (fits) this.#held = held
  }
}
