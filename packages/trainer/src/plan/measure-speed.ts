import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { oneView } from '@flowers/shared/image/view'
import { bytes, startTensorflow } from '@flowers/tensorflow'
import * as tf from '@tensorflow/tfjs-core'
import type { Dataset } from '../dataset/dataset.ts'
import { trainBatches } from '../input/loader.ts'
import { PhotoCache } from '../input/photo-cache.ts'
import { epochOrder } from '../input/sampler.ts'
import { initialize } from '../model/init.ts'
import { locateWeights } from '../model/weights/fetch.ts'
import { buildModel } from '../recipe/network.ts'
import { resolvePrecision } from '../recipe/precision.ts'
import type { Recipe } from '../recipe/schema.ts'
import { runFiles } from '../run/files.ts'
import { openCheckpoints } from '../train/checkpoints.ts'
import { availableMemory } from '../train/memory.ts'
import { startOf } from '../train/position.ts'
import { compileStep, emptyInputs, runEmpty, useInputs, variablesFor } from '../train/step.ts'
import { Scorers } from '../train/validate.ts'
import type { Speed } from './cost.ts'
import { batchInMemory } from './plan-quick.ts'

/** Longest that steps beside decoding are timed, and either alone. */
const seconds = { steps: 8, alone: 1.5 }

export interface MeasureOptions {
  readonly log: (line: string) => void
  readonly signal?: AbortSignal | undefined
  /** Bytes that a step may find; what there are unless said. */
  readonly memory?: number
}

/**
 * Times the parts of a run in the phase `full`, on weights that are thrown away: photos read and cut, steps beside that,
 * validation, saving. The first step and the first validation are the start: they trace the network. Weights that the run
 * begins with are fetched before, so that fetching is no part of the training. Throws what `locateWeights` throws.
 */
export async function measureSpeed(
  recipe: Recipe,
  { train, labels }: Pick<Dataset, 'train' | 'labels'>,
  { log, signal, memory = availableMemory() }: MeasureOptions,
): Promise<Speed> {
  const { architecture, weights } = recipe.model
  if (weights !== null) await locateWeights(weights, architecture, log, signal)
  log('measuring how fast this machine trains, for up to half a minute')
  const { device } = await startTensorflow({ deterministic: true })
  signal?.throwIfAborted()
  const { precision } = resolvePrecision(recipe, device)
  const phase = recipe.phases.full
  const { size } = phase
  const model = buildModel(recipe, labels.length)
  const variables = variablesFor(model, phase, precision, initialize(model, recipe.seed))
  const step = compileStep(model, variables, phase, { precision, classWeights: null })
  const scorers = new Scorers(model, (name) => variables.best(name), recipe.preprocessing)
  try {
    const bytesPerPhoto = useInputs(emptyInputs(phase.batch, size), (inputs) => step.bytes(inputs)) / phase.batch
    const batch = Math.min(batchInMemory(recipe, { bytesPerPhoto, size }, memory), train.length)
    const order = epochOrder(train, { seed: recipe.seed, epoch: 0, power: 1 })
    const cache = new PhotoCache()
    /** The batches of the first photos of an epoch, which all are read and cut when the last comes. */
    const batches = (count: number) =>
      trainBatches(train, {
        size,
        batch,
        seed: recipe.seed,
        epoch: 0,
        crop: phase.augment.crop,
        order: order.subarray(0, count * batch),
        cache,
      })
    const run = () => runEmpty(step, batch, size)
    const score = () => runScorer(scorers, batch, size)

    const startSeconds = (await secondsOf(run)) + (await secondsOf(score))
    signal?.throwIfAborted()
    const all = Math.floor(train.length / batch)
    const cut = async (): Promise<number> => {
      const started = performance.now()
      let done = 0
      for await (const _ of batches(all)) {
        signal?.throwIfAborted()
        done++
        if (performance.now() - started > 1000 * seconds.alone) break
      }
      return (performance.now() - started) / 1000 / (done * batch)
    }
    // Small photos stay decoded after the first epoch.
    await cut()
    const decodeSeconds = await cut()
    const stepSeconds = await secondsOf(run)
    const count = Math.min(all, Math.max(1, Math.floor(seconds.steps / (stepSeconds + batch * decodeSeconds))))
    const besideSteps = await secondsOf(async () => {
      for await (const _ of batches(count)) {
        await run()
        signal?.throwIfAborted()
      }
    })
    const photoSeconds = besideSteps / (count * batch)
    const scores = Math.max(1, Math.floor(seconds.alone / (await secondsOf(score))))
    const scored = await secondsOf(async () => {
      for (let each = 0; each < scores; each++) {
        await score()
        signal?.throwIfAborted()
      }
    })
    return {
      size,
      decodeSeconds,
      // Where decoding is hidden behind steps, or steps behind decoding, the difference alone would be too little.
      trainSeconds: Math.max(photoSeconds - decodeSeconds, leastShare * photoSeconds),
      forwardSeconds: scored / (scores * batch),
      startSeconds,
      saveSeconds: await secondsToSave({ model, recipe }, variables),
      bytesPerPhoto,
    }
  } finally {
    scorers.dispose()
    step.dispose()
    variables.dispose()
  }
}

/** Of a photo's time beside running steps, what the network is given at least. */
const leastShare = 0.1

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

/** Scores black photos. */
async function runScorer(scorers: Scorers, batch: number, size: number): Promise<void> {
  const photos = bytes(new Uint8Array(batch * size * size * 3), [batch, size, size, 3])
  const { probabilities } = await scorers.for(oneView.map(({ flip }) => flip)).run(photos)
  await probabilities.data()
  tf.dispose([photos, probabilities])
}

/** Seconds that the files of an epoch take. */
async function secondsToSave(
  parts: Pick<Parameters<typeof openCheckpoints>[0], 'model'> & { readonly recipe: Recipe },
  variables: Parameters<typeof openCheckpoints>[2],
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'flowers-speed-'))
  try {
    await mkdir(join(folder, runFiles.checkpoints))
    const checkpoints = openCheckpoints({ folder, ...parts }, 'full', variables, () => performance.now())
    const epoch = { accuracy: 0, loss: 0, epoch: 0 }
    return await secondsOf(async () => {
      await checkpoints.writeBest(epoch, true)
      await checkpoints.writeLast(epoch)
      await checkpoints.save(startOf('full', { precision: 'float32' }))
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}
