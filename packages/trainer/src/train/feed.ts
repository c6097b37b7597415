import type { View } from '@flowers/shared/image/view'
import type { Tensor } from '@tensorflow/tfjs-core'
import { augmentAt, drawBatch } from '../input/apply-augment.ts'
import { trainBatches } from '../input/loader.ts'
import { epochOrder } from '../input/sampler.ts'
import { phaseNames, type PhaseName } from '../recipe/schema.ts'
import type { Position } from '../run/state.ts'
import { bytes } from '@flowers/tensorflow'
import type { RunContext } from './context.ts'
import { updatesOf } from './position.ts'
import { showInputs } from './show-inputs.ts'
import { placesIn } from './teacher.ts'
import { Scorers, ValidationSet, type Validation } from './validate.ts'
import type { TrainingVariables } from './variables.ts'

/** The inputs of a micro-step that come from photos. */
export interface FeedBatch {
  /** N class indices. */
  readonly labels: Int32Array
  /** N x 31, see `packAugmentations`. */
  readonly packed: Float32Array
  /** uint8 [N, S, S, 3], or float32 [N, F] for cached features. The caller disposes of it. */
  readonly images: () => Tensor
  /** N x K, the softened probabilities of the teacher; null: the run has none. */
  readonly soft: Float32Array | null
}

/** Where a phase gets its inputs from, and how it is validated on inputs of the same kind. */
export interface Feed {
  /** A line for the person who starts the phase; null: none. */
  readonly note: string | null
  /** Makes the feed ready for its first batch. */
  prepare(): Promise<void>
  /** The full batches of the position's epoch from the position's step on. Throws DATA_IMAGE_LOST. */
  batches(position: Position): AsyncIterable<FeedBatch>
  /** Scores the validation photos by the mean probability over views. Throws the reason of an aborted signal. */
  score(views: readonly View[]): Promise<Validation>
  /** Deletes the files that the feed keeps while its phase runs. */
  remove(): Promise<void>
  /** Frees memory and open files. */
  close(): Promise<void>
}

/** The address of an epoch in random streams: epochs of different phases draw different numbers. */
export const streamEpoch = ({ phase, epoch }: Pick<Position, 'phase' | 'epoch'>): number =>
  phaseNames.indexOf(phase) * 1_000_000 + epoch

/** Photos, cropped while they are read; the step augments and mixes them. */
export function photoFeed(
  context: Omit<RunContext, 'log' | 'progress'>,
  name: PhaseName,
  variables: TrainingVariables,
  show = showInputs,
): Feed {
  const { recipe, model, dataset, photos, board, signal, teacher } = context
  const phase = recipe.phases[name]
  const { size, batch: width, samplerPower: power } = phase
  const scorers = new Scorers(model, (parameter) => variables.best(parameter), recipe.preprocessing)
  const preprocessing = { ...recipe.preprocessing, size }
  const validation = new ValidationSet(dataset.valid, { preprocessing, batch: width })
  const places = teacher && placesIn(dataset.train)
  let isShown = false
  return {
    note: null,
    prepare: async () => {},
    async *batches(position) {
      const { epoch, updates, step: startStep } = position
      const stream = streamEpoch(position)
      const batches = trainBatches(dataset.train, {
        size,
        batch: width,
        seed: recipe.seed,
        epoch: stream,
        crop: augmentAt(phase, epoch).crop,
        order: epochOrder(dataset.train, { seed: recipe.seed, epoch: stream, power }),
        kernel: preprocessing.kernel,
        startStep,
        cache: photos,
      })
      for await (const batch of batches) {
        const place = { epoch, stream, first: batch.step * width, count: width }
        const packed = drawBatch(recipe, phase, place)
        // A resumed run shows its inputs again, as TensorBoard was told to forget the earlier ones.
        if (updates === 0 && !isShown) {
          isShown = true
          await show(board, updatesOf(position), { name, phase, recipe, batch, packed, valid: dataset.valid })
        }
        const soft = teacher && teacher.rows(batch.samples.map((sample) => places!.get(sample)!))
        yield { labels: batch.labels, packed, images: () => bytes(batch.pixels, [width, size, size, 3]), soft }
      }
    },
    score: (views) => validation.score(scorers, views, signal),
    remove: async () => {},
    close: async () => scorers.dispose(),
  }
}
