import type { Manifest } from '@flowers/shared/model/manifest'
import type { ModelNames } from '@flowers/shared/model/names'
import { modelFiles, openModel, type ModelLocation } from '@flowers/shared/model/package'
import type { Instruments } from '../observe/instruments.ts'
import { chooseBatch, trial, warmUpFor, wasDisturbed } from './batch.ts'
import { batchSetup, batchesFile, type BatchCache } from './batch-cache.ts'
import { planThreads, sessionBytes, type Allowance, type Held, type ThreadPlan } from './plan.ts'
import { Pool, type PoolOptions } from './pool.ts'
import { Cost, fitLine } from './scheduler/cost.ts'

export interface LoadOptions extends Pick<PoolOptions, 'createWorker' | 'onLost' | 'onTurn'> {
  readonly allowance: Allowance
  /** Batches that were measured before. */
  readonly batches: BatchCache
  readonly fixed: { readonly workers: number | null; readonly threads: number | null; readonly batch: number | null }
  readonly held: Held
  readonly instruments: Pick<Instruments, 'workersLost'>
  /** Milliseconds. */
  readonly now: () => number
}

/** The most views of a run, and where the number is from: the settings, this start, or one before. */
interface ChosenBatch {
  readonly views: number
  readonly source: 'configured' | 'measured' | 'kept'
}

/** A model whose workers are warm. */
export interface LoadedModel {
  readonly manifest: Manifest
  readonly names: ModelNames
  readonly plan: ThreadPlan
  readonly pool: Pool
  readonly batch: ChosenBatch
  readonly cost: Cost
}

/**
 * Verifies the model folder, then starts and warms its workers. The quantized network serves when there is one: it
 * is there only when it passed its gate. Rejects with what `openModel` throws, MODEL_MEMORY, and MODEL_OUTPUT, also for a
 * network without the output that its manifest refuses pictures by.
 */
export async function loadModel(location: ModelLocation, options: LoadOptions): Promise<LoadedModel> {
  const { createWorker, onTurn, fixed, instruments } = options
  const { manifest, names, network, quantized } = await openModel(location.folder)
  const { bytes, sha256 } = manifest.files[quantized ? modelFiles.quantized : modelFiles.network]!
  const { preprocessing, labels, name, calibration } = manifest
  const plan = planThreads(options.allowance, sessionBytes(bytes, preprocessing.size), fixed, options.held)
  const setup = batchSetup({ sha256, size: preprocessing.size }, plan)
  const batches = batchesFile(location)
  const kept = fixed.batch === null ? await options.batches.find(batches, setup) : null
  const known = fixed.batch ?? kept?.batch ?? null
  const warmUp = known === null ? trial : warmUpFor(known)
  const file = { network: quantized ?? network, bytes, sha256 }
  const pool = new Pool({
    createWorker,
    workers: plan.workers,
    settings: {
      ...file,
      classes: labels.length,
      preprocessing,
      threads: plan.threads,
      needsKnown: !!calibration.known,
      warmUp,
    },
    onLost: (reason) => {
      instruments.workersLost.inc({ model: name })
      options.onLost?.(reason)
    },
    onTurn,
  })
  await pool.start()
  instruments.workersLost.inc({ model: name }, 0)
  const views = known ?? chooseBatch(pool.measured)
  if (known === null) {
    pool.warmUpBy(warmUpFor(views))
    await options.batches.keep(batches, setup, { batch: views, seconds: [...pool.measured] })
  } else if (kept !== null && wasDisturbed(kept.seconds, pool.measured)) {
    await options.batches.forget(batches, setup)
  }
  const source = fixed.batch !== null ? 'configured' : kept === null ? 'measured' : 'kept'
  const cost = new Cost(fitLine(pool.measured), options.now() / 1000)
  return { manifest, names, plan, pool, batch: { views, source }, cost }
}
