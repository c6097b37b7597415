import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { FlowersError } from '@flowers/shared/errors'
import { decodeViews } from '@flowers/shared/image/preprocess'
import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import type { Kernel } from '@flowers/shared/image/resample'
import pLimit from 'p-limit'
import sharp from 'sharp'
import { reasonOf } from '../console/system-error.ts'
import type { CropOptions } from './crop.ts'
import type { Sample } from '../dataset/dataset.ts'
import { PhotoCache } from './photo-cache.ts'
import { Random } from '@flowers/shared/random'
import { mapAhead } from './map-ahead.ts'
import { epochOrder } from './sampler.ts'
import { cutTrainingPhoto } from './training-photo.ts'
import { TrainerError } from '../errors.ts'

export interface Batch {
  /** N x size x size x 3, RGB. */
  readonly pixels: Uint8Array
  /** N class indices. */
  readonly labels: Int32Array
  readonly samples: readonly Sample[]
  /** Side in pixels. */
  readonly size: number
  /** Of the epoch, from 0. */
  readonly step: number
}

interface Flow {
  /** Batches made ready before they are asked for; 2 unless said. */
  readonly ahead?: number
  /** Photos decoded at one time; the number of cores unless said. */
  readonly inFlight?: number
}

export interface TrainBatchesOptions extends Flow {
  /** Side of the training square, in pixels. */
  readonly size: number
  /** Photos a batch. */
  readonly batch: number
  readonly seed: number
  /** From 0. */
  readonly epoch: number
  readonly crop: CropOptions
  /** Of the one resample; bilinear, as in torchvision, unless said. */
  readonly kernel?: Kernel
  /** The epoch goes on at this step with the batches it would have had. */
  readonly startStep?: number
  /** Indices into the samples; a seeded shuffle unless said. */
  readonly order?: Int32Array
  /** Keeps small photos decoded from epoch to epoch: pass the same one each time. The pixels are the same without. */
  readonly cache?: PhotoCache
}

/**
 * Batches of one epoch, full ones only. Pixels are a function of (samples, seed, epoch, order, crop, kernel, size)
 * alone. Ending the iteration early stops all work. A photo that is gone or broken rejects with DATA_IMAGE_LOST.
 * Throws USAGE if the samples do not fill one batch.
 */
export function trainBatches(samples: readonly Sample[], options: TrainBatchesOptions): AsyncGenerator<Batch, void> {
  const { size, batch, seed, epoch, crop, kernel = 'bilinear', startStep = 0 } = options
  const order = options.order ?? epochOrder(samples, { seed, epoch, power: 1 })
  const cache = options.cache ?? new PhotoCache(0)
  const steps = Math.floor(order.length / batch)
  if (steps === 0) {
    throw new TrainerError('USAGE', `A batch of ${batch} is more than the ${order.length} training photos.`)
  }
  return makeBatches(
    { first: startStep, steps, size, flow: options },
    {
      pick: (step) => Array.from(order.subarray(step * batch, (step + 1) * batch), (index) => samples[index] as Sample),
      fill: (sample, step, place, out, offset) =>
        cutTrainingPhoto(
          sample.path,
          { crop, size, kernel },
          new Random(seed, 'crop', epoch, step * batch + place),
          cache,
          out,
          offset,
        ),
    },
  )
}

export interface ValidBatchesOptions extends Flow {
  readonly preprocessing: Preprocessing
  readonly batch: number
  /** Of the view, at least 1; 1 unless said. */
  readonly scale?: number
}

/**
 * All samples in their order through the preprocessing of evaluation and service; the last batch may be short.
 * Stops and fails as `trainBatches` does.
 */
export function validBatches(samples: readonly Sample[], options: ValidBatchesOptions): AsyncGenerator<Batch, void> {
  const { preprocessing, batch, scale = 1 } = options
  const { size } = preprocessing
  return makeBatches(
    { first: 0, steps: Math.ceil(samples.length / batch), size, flow: options },
    {
      pick: (step) => samples.slice(step * batch, (step + 1) * batch),
      fill: async (sample, _step, _place, out, offset) => {
        const [canvas] = await decodeViews(await readFile(sample.path), preprocessing, [scale])
        out.set(canvas!.pixels, offset)
      },
    },
  )
}

interface Source {
  pick(step: number): Sample[]
  fill(sample: Sample, step: number, place: number, out: Uint8Array, offset: number): Promise<void>
}

/** Makes batches in order, a few ahead, a bounded number of photos at a time. */
async function* makeBatches(
  { first, steps, size, flow }: { first: number; steps: number; size: number; flow: Flow },
  source: Source,
): AsyncGenerator<Batch, void> {
  // Several photos are decoded at once, each on one thread; libvips' own threads would only compete.
  sharp.concurrency(1)
  const limit = pLimit(flow.inFlight ?? Math.max(2, availableParallelism()))
  let failedAt = Infinity

  const make = async (step: number, isEnded: () => boolean): Promise<Batch> => {
    const picked = source.pick(step)
    const bytes = size * size * 3
    const pixels = new Uint8Array(picked.length * bytes)
    let failure: FlowersError | undefined
    await Promise.all(
      picked.map((sample, place) =>
        limit(async () => {
          // Batches before the one that failed are still finished and handed out.
          if (isEnded() || step >= failedAt) return
          try {
            await source.fill(sample, step, place, pixels, place * bytes)
          } catch (error) {
            failedAt = Math.min(failedAt, step)
            failure ??= lost(sample, error)
          }
        }),
      ),
    )
    if (failure) throw failure
    return { pixels, labels: Int32Array.from(picked, (sample) => sample.index), samples: picked, size, step }
  }

  const range = Array.from({ length: Math.max(0, steps - first) }, (_, index) => first + index)
  yield* mapAhead(range, (flow.ahead ?? 2) + 1, make)
}

function lost(sample: Sample, cause: unknown): FlowersError {
  return new TrainerError('DATA_IMAGE_LOST', `"${sample.path}" can no longer be read: ${reasonOf(cause)}`, { cause })
}
