import type { Decoder } from '@flowers/shared/image/decode-threads'
import { findModel } from '@flowers/shared/model/package'
import type { Config } from '../config.ts'
import type { Instruments } from '../observe/instruments.ts'
import type { BatchCache } from './batch-cache.ts'
import { Classifier } from './classifier.ts'
import { loadModel } from './load-model.ts'
import type { ModelSlot } from './model-slot.ts'
import type { Platform } from './platform.ts'
import type { Scheduler } from './scheduler/scheduler.ts'
import { fingerprint } from './watch.ts'

/** The part of a logger that the engine uses. */
export interface Log {
  info(facts: object, message: string): void
  error(facts: object, message: string): void
}

export type EngineConfig = Pick<
  Config,
  | 'modelsDir'
  | 'model'
  | 'workers'
  | 'threads'
  | 'batch'
  | 'queueLimit'
  | 'pixelLimitMp'
  | 'decodeTimeoutMs'
  | 'watchMs'
>

/** What all models of an engine share. */
export interface EngineParts {
  readonly config: EngineConfig
  readonly instruments: Instruments
  readonly log: Log
  readonly platform: Platform
  readonly scheduler: Scheduler
  readonly batches: BatchCache
  readonly slots: ReadonlyMap<string, ModelSlot>
}

/**
 * Opens the highest version of a model, within the memory that the models of the slots leave. Rejects with MODEL_MISSING
 * and as `loadModel` does. One at a time: what fits is known when the one before has its place.
 */
export async function openModel(parts: EngineParts, decoder: Decoder, slot: ModelSlot): Promise<Classifier> {
  const { instruments, log, scheduler, batches } = parts
  const { modelsDir, workers, threads, batch, pixelLimitMp, decodeTimeoutMs } = parts.config
  const { createWorker, allowance, decodeThreads, now } = parts.platform
  const started = now()
  const location = await findModel(modelsDir, slot.name)
  slot.tried = await fingerprint(location.folder)
  const bytesOf = ({ serving }: ModelSlot): number => serving?.plan.bytes ?? 0
  const total = [...parts.slots.values()].reduce((sum, each) => sum + bytesOf(each), 0)
  const model = await loadModel(location, {
    createWorker,
    allowance,
    batches,
    fixed: { workers, threads, batch },
    held: { others: total - bytesOf(slot), replaced: bytesOf(slot) },
    instruments,
    now,
    onLost: (reason) => log.error({ model: slot.name, reason }, 'a worker stopped and is replaced'),
    onTurn: () => scheduler.dispatch(),
  })
  const { plan, cost, names } = model
  if (names.strangers.length > 0)
    log.info({ model: slot.name, labels: names.strangers }, 'names.csv has labels that the model does not have')
  log.info(
    {
      model: slot.name,
      version: location.version,
      plan: { ...plan, batch: model.batch.views, batchFrom: model.batch.source },
      viewMs: round(cost.seconds(1) * 1000),
      loadMs: round(now() - started),
    },
    `model loaded: ${plan.workers} workers of ${plan.threads} threads on ${plan.cores} cores (${plan.source})`,
  )
  const limits = { megapixels: pixelLimitMp, seconds: decodeTimeoutMs / 1000 }
  return new Classifier(model, { scheduler, decoder, decodeThreads, limits, instruments, now })
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
