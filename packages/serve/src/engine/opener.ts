import type { ImageLimits } from '@flowers/shared/image/decode'
import type { Decoder } from '@flowers/shared/image/decode-threads'
import { findModel } from '@flowers/shared/model/package'
import type { Config } from '../config.ts'
import type { Instruments } from '../observe/instruments.ts'
import { BatchCache } from './batch-cache.ts'
import { Classifier } from './classifier.ts'
import { loadModel } from './load-model.ts'
import type { ModelSlot } from './model-slot.ts'
import type { Platform } from './platform.ts'
import type { Scheduler } from './scheduler/scheduler.ts'
import { Turns } from './turns.ts'
import { fingerprint } from './watch.ts'

/** The part of a logger that the engine uses. */
export interface Log {
  info(facts: object, message: string): void
  error(facts: object, message: string): void
}

export interface OpenerOptions {
  readonly config: Pick<Config, 'modelsDir' | 'workers' | 'threads' | 'batch' | 'pixelLimitMp' | 'decodeTimeoutMs'>
  readonly instruments: Instruments
  readonly log: Log
  readonly platform: Platform
  readonly scheduler: Scheduler
  readonly decoder: Decoder
  readonly decodeThreads: number
  /** The slots of all models: what serves in them holds memory. */
  readonly slots: ReadonlyMap<string, ModelSlot>
  /** Nothing is opened any more once it is aborted. */
  readonly closing: AbortSignal
}

/** Opens models, one at a time: what fits into the memory is known when the one before has its place. */
export class Opener {
  readonly #options: OpenerOptions
  readonly #batches = new BatchCache()
  readonly #turns = new Turns()

  constructor(options: OpenerOptions) {
    this.#options = options
  }

  /** The highest version of a model, as `SlotOptions.open` says. Rejects with MODEL_MISSING and as `loadModel` does. */
  open(slot: ModelSlot, place: (model: Classifier) => void): Promise<Classifier> {
    return this.#turns.take(async () => {
      const model = await this.#open(slot)
      place(model)
      return model
    })
  }

  async #open(slot: ModelSlot): Promise<Classifier> {
    const { config, instruments, log, scheduler, decoder, decodeThreads, slots, closing } = this.#options
    const { createWorker, allowance, now } = this.#options.platform
    const { workers, threads, batch, pixelLimitMp, decodeTimeoutMs } = config
    closing.throwIfAborted()
    const started = now()
    const location = await findModel(config.modelsDir, slot.name)
    slot.tried = await fingerprint(location.folder)
    const bytesOf = ({ serving }: ModelSlot): number => serving?.plan.bytes ?? 0
    const total = [...slots.values()].reduce((sum, each) => sum + bytesOf(each), 0)
    const model = await loadModel(location, {
      createWorker,
      allowance,
      batches: this.#batches,
      fixed: { workers, threads, batch },
      held: { others: total - bytesOf(slot), replaced: bytesOf(slot) },
      instruments,
      now,
      onLost: (reason) => log.error({ model: slot.name, reason }, 'a worker stopped and is replaced'),
      onTurn: () => scheduler.dispatch(),
    })
    const { plan, cost } = model
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
    const limits: ImageLimits = { megapixels: pixelLimitMp, seconds: decodeTimeoutMs / 1000 }
    return new Classifier(model, { scheduler, decoder, decodeThreads, limits, instruments, now })
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
