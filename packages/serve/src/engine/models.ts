import { setMaxListeners } from 'node:events'
import { configureSharp } from '@flowers/shared/image/decode'
import type { Decoder } from '@flowers/shared/image/decode-threads'
import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import type { Manifest } from '@flowers/shared/model/manifest'
import { findModel, listModels, readManifest } from '@flowers/shared/model/package'
import sharp from 'sharp'
import type { Instruments } from '../observe/instruments.ts'
import { retryLater, ServiceError } from '../errors.ts'
import { BatchCache } from './batch-cache.ts'
import type { Classifier } from './classifier.ts'
import { hideModel, showModel } from './model-metrics.ts'
import { ModelSlot } from './model-slot.ts'
import { openModel, type EngineConfig, type EngineParts, type Log } from './open-model.ts'
import type { Allowance, ThreadPlan } from './plan.ts'
import { thisMachine, type Platform } from './platform.ts'
import { Reloads } from './reloads.ts'
import { Scheduler } from './scheduler/scheduler.ts'
import { Turns } from './turns.ts'

/** A version of a model that there is; `reason` tells why it cannot be asked, null: it can. */
export interface RepositoryEntry {
  readonly name: string
  readonly version: number
  readonly reason: string | null
  /** Seconds after which it may be ready by itself; null: it is, or it needs a request or a command. */
  readonly retrySeconds: number | null
}

/** The models that serve, and the queue before them. */
export class Engine {
  readonly #parts: EngineParts
  readonly #reloads: Reloads
  readonly #slots = new Map<string, ModelSlot>()
  readonly #opening = new Turns()
  readonly #replacing = new Turns()
  readonly #retiring = new Map<Classifier, Promise<void>>()
  readonly #closing = new AbortController()
  #default: ModelSlot | null = null
  #decoder: Decoder | null = null
  #starting: Promise<void> | null = null
  #draining = false

  constructor(config: EngineConfig, instruments: Instruments, log: Log, platform: Platform = thisMachine()) {
    const { decodeThreads: threads, now } = platform
    const scheduler = new Scheduler({
      threads,
      limit: config.queueLimit,
      now,
      errors: platform.forecastErrors,
    })
    const batches = new BatchCache()
    this.#parts = { config, instruments, log, platform, scheduler, batches, slots: this.#slots }
    this.#reloads = new Reloads(this.#parts, (name) => this.#switchDefault(name))
    // Each request that is being answered listens.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Loads and warms the model that serves by default. Rejects with the MODEL_ error that it meets. */
  start(): Promise<void> {
    return (this.#starting ??= this.#start())
  }

  async #start(): Promise<void> {
    const { config, platform } = this.#parts
    configureSharp({ concurrency: 1 })
    this.#decoder = platform.createDecoder()
    const slot = this.#slotOf(await this.#reloads.readDefault())
    await Promise.all([slot.ask(), warmUp(this.#decoder, platform.decodeThreads)])
    this.#serveByDefault(slot)
    if (config.watchMs !== null) this.#reloads.watch(config.watchMs, this.closing)
  }

  /** Whether work is taken: the default model is loaded with a warm worker, and the service is not stopping. */
  get ready(): boolean {
    return !this.#draining && this.load.workers > 0
  }

  /** Not ready from now on; what arrives is still answered. */
  drain(): void {
    this.#draining = true
  }

  get draining(): boolean {
    return this.#draining
  }

  /** What the process may use. */
  get allowance(): Allowance {
    return this.#parts.platform.allowance
  }

  /** Threads of the default model, once it is loaded. */
  get plan(): ThreadPlan | null {
    return this.#default?.serving?.plan ?? null
  }

  /** The most views of a run of the default model; 0 until it is loaded. */
  get batch(): number {
    return this.#default?.serving?.batch.views ?? 0
  }

  /**
   * Throws SERVICE_NOT_READY until the default model is loaded, and as `Scheduler.assertRoom` when `images` more may
   * not wait.
   */
  assertRoom(images: number): void {
    if (this.#loaded) this.#parts.scheduler.assertRoom(images)
  }

  /** What to count in the metrics. `workers`: of the default model; 0 until it is loaded. */
  get load(): { queued: number; age: number; busy: number; workers: number; backlog: number } {
    const { depth: queued, age, busy, backlog } = this.#parts.scheduler
    return { queued, age, busy, workers: this.#default?.serving?.pool.ready ?? 0, backlog }
  }

  /**
   * The model of this name, loaded when it is asked for the first time; without a name the default.
   * Rejects with SERVICE_NOT_READY, MODEL_MISSING, MODEL_UNLOADED, or the MODEL_ error that loading meets.
   */
  async classifier(name?: string): Promise<Classifier> {
    const byDefault = this.#loaded
    if (name === undefined || name === byDefault.manifest.name) return byDefault
    this.#slots.get(name)?.assertAllowed()
    await findModel(this.#parts.config.modelsDir, name)
    return this.#slotOf(name).ask()
  }

  /**
   * What a model is like, of which nothing is loaded for that: the version that serves, else the highest.
   * Rejects with SERVICE_NOT_READY, MODEL_MISSING, MODEL_UNLOADED, MODEL_MANIFEST or MODEL_FORMAT.
   */
  async manifest(name: string): Promise<Manifest> {
    const { manifest } = this.#loaded
    if (name === manifest.name) return manifest
    const slot = this.#slots.get(name)
    slot?.assertAllowed()
    return slot?.serving?.manifest ?? readManifest((await findModel(this.#parts.config.modelsDir, name)).folder)
  }

  /** The models of the folder by name and version, with what keeps a version from being asked, if anything. */
  async repository(): Promise<RepositoryEntry[]> {
    const models = await listModels(this.#parts.config.modelsDir)
    return models.flatMap(({ name, versions }) =>
      versions.map((version) => ({ name, version, ...this.#unavailable(name, version) })),
    )
  }

  #unavailable(name: string, version: number): Pick<RepositoryEntry, 'reason' | 'retrySeconds'> {
    const slot = this.#slots.get(name)
    const retrySeconds = null
    if (!slot?.serving) return { reason: slot?.state === 'unloaded' ? 'unloaded' : 'not loaded', retrySeconds }
    const { manifest, pool } = slot.serving
    if (manifest.version !== version) return { reason: `version ${manifest.version} serves`, retrySeconds }
    if (pool.ready > 0) return { reason: null, retrySeconds }
    return { reason: 'no worker is warm', retrySeconds: pool.retrySeconds ?? 0 }
  }

  /**
   * Loads and warms a model, also one that was unloaded; one that is loaded is replaced as by {@link reload}.
   * Rejects as {@link classifier} does, and as loading does.
   */
  async loadModel(name: string): Promise<void> {
    await findModel(this.#parts.config.modelsDir, name)
    const slot = this.#slotOf(name)
    slot.allow()
    if (slot.serving) await this.#reloads.replace(slot)
    else await this.classifier(name)
  }

  /**
   * Answers what was asked of a model, then frees it; from now on it answers nothing until it is loaded again.
   * Rejects with MODEL_MISSING, or MODEL_IN_USE for the default model.
   */
  async unloadModel(name: string): Promise<void> {
    if (name === this.#loaded.manifest.name) {
      throw new ServiceError('MODEL_IN_USE', `${JSON.stringify(name)} is the model that answers by default.`)
    }
    await findModel(this.#parts.config.modelsDir, name)
    await this.#slotOf(name).unload()
  }

  /**
   * Reads the name of the default model again, and every loaded model: the highest version is verified, loaded and warmed
   * beside the one that serves, then takes its place; that one ends after its last answer. What fails is logged and
   * counted, and the one before goes on.
   */
  reload(): Promise<void> {
    return this.#reloads.all()
  }

  async #switchDefault(name: string): Promise<void> {
    if (name === this.#loaded.manifest.name) return
    const slot = this.#slotOf(name)
    slot.allow()
    await slot.ask()
    this.#serveByDefault(slot)
    this.#parts.instruments.reloads.inc({ model: 'default', result: 'done' })
  }

  /** Aborted with SERVICE_WORKER_LOST when the engine is closed: what waits then will not be done. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** Stops all workers, after the views that are running. */
  async close(): Promise<void> {
    this.#closing.abort(retryLater('SERVICE_WORKER_LOST', 'The service stopped before the answer was ready.', 1))
    await this.#starting?.catch(() => {})
    await Promise.all([...this.#slots.values()].map((slot) => slot.close()))
    await this.#decoder?.close()
  }

  get #loaded(): Classifier {
    const serving = this.#default?.serving
    if (!serving) throw retryLater('SERVICE_NOT_READY', 'The model is being loaded.', 1)
    return serving
  }

  #serveByDefault(slot: ModelSlot): void {
    this.#default = slot
    const { workers, threads } = this.#loaded.plan
    this.#parts.scheduler.threads = workers * threads
  }

  #slotOf(name: string): ModelSlot {
    const known = this.#slots.get(name)
    if (known) return known
    const { instruments } = this.#parts
    let wasLoaded = false
    const slot: ModelSlot = new ModelSlot(name, {
      draining: this.#retiring,
      replacing: this.#replacing,
      open: (place) =>
        this.#opening.take(async () => {
          this.closing.throwIfAborted()
          const model = await openModel(this.#parts, this.#decoder!, slot)
          place(model)
          return model
        }),
      onServe: ({ manifest }, before) => {
        if (slot === this.#default) this.#serveByDefault(slot)
        if (before) {
          instruments.reloads.inc({ model: name, result: 'done' })
          hideModel(instruments, before.manifest)
        }
        showModel(instruments, manifest, wasLoaded)
        wasLoaded = true
      },
      onLeave: ({ manifest }) => hideModel(instruments, manifest),
    })
    this.#slots.set(name, slot)
    return slot
  }
}

/** Decodes a small picture on every thread, so that the first request does not wait for codecs to be loaded. */
async function warmUp(decoder: Decoder, threads: number): Promise<void> {
  const blank = { width: 64, height: 64, channels: 3, background: 'grey' } as const
  const picture = await sharp({ create: blank }).jpeg().toBuffer()
  const preprocessing = { size: 32, cropFraction: 1, kernel: 'bilinear', ...imagenetNormalization } as const
  await Promise.all(Array.from({ length: threads }, () => decoder.decodeViews(picture, preprocessing, [1])))
}
