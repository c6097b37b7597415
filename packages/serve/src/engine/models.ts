import { setMaxListeners } from 'node:events'
import { FlowersError } from '@flowers/shared/errors'
import { configureSharp } from '@flowers/shared/image/decode'
import type { Manifest } from '@flowers/shared/model/manifest'
import { findModel, listModels, readManifest, resolveModel } from '@flowers/shared/model/package'
import type { ModelLocation } from '@flowers/shared/model/package'
import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import { startDecoder } from '@flowers/shared/image/decode-threads'
import type { Decoder } from '@flowers/shared/image/decode-threads'
import sharp from 'sharp'
import type { Config } from '../config.ts'
import { reloadResults } from '../observe/instruments.ts'
import type { Instruments } from '../observe/instruments.ts'
import { retryLater, ServiceError } from '../errors.ts'
import { BatchCache } from './batch-cache.ts'
import { Classifier } from './classifier.ts'
import type { Allowance, ThreadPlan } from './plan.ts'
import { readAllowance } from './plan.ts'
import { Scheduler } from './scheduler/scheduler.ts'
import { fingerprint, Settled } from './watch.ts'

/** The part of a logger that the engine uses. */
interface Log {
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

/** The name under which the name of the default model is watched: no model has it. */
const theDefault = ''

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
  readonly #config: EngineConfig
  readonly #instruments: Instruments
  readonly #log: Log
  readonly #allowance = readAllowance()
  readonly #batches = new BatchCache()
  readonly #classifiers = new Map<string, Promise<Classifier>>()
  /** Those of them that are loaded. */
  readonly #loadedModels = new Map<string, Classifier>()
  /** Names that were unloaded by command: they stay so until the command to load. */
  readonly #unloaded = new Set<string>()
  /** What was tried last for each of them, see {@link fingerprint}. */
  readonly #tried = new Map<string, string>()
  /** Names of which answers are counted: a version that is loaded later goes on counting. */
  readonly #counted = new Set<string>()
  /** Models that were replaced or unloaded and have requests to answer yet, with when they are freed. */
  readonly #retiring = new Map<Classifier, Promise<void>>()
  #reloading: Promise<unknown> = Promise.resolve()
  #opening: Promise<unknown> = Promise.resolve()
  #watch: NodeJS.Timeout | undefined
  #starting: Promise<void> | null = null
  #decoder: Decoder | null = null
  #serving: { classifier: Classifier; scheduler: Scheduler } | null = null
  #draining = false
  readonly #closing = new AbortController()

  constructor(config: EngineConfig, instruments: Instruments, log: Log) {
    this.#config = config
    this.#instruments = instruments
    this.#log = log
    // Each request that is being answered listens.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Loads and warms the model that serves by default. Rejects with the MODEL_ error that it meets. */
  start(): Promise<void> {
    return (this.#starting ??= this.#start())
  }

  async #start(): Promise<void> {
    configureSharp({ concurrency: 1 })
    this.#decoder = startDecoder({ threads: this.#cores })
    const { name } = await resolveModel(this.#config.modelsDir, this.#config.model ?? undefined)
    this.#tried.set(theDefault, name)
    const [classifier] = await Promise.all([this.#load(name), warmUp(this.#decoder, this.#cores)])
    this.#serve(classifier)
    if (this.#config.watchMs !== null) this.#startWatching(this.#config.watchMs)
  }

  get #cores(): number {
    return Math.max(1, Math.floor(this.#allowance.cores))
  }

  #serve(classifier: Classifier): void {
    const { workers, threads } = classifier.plan
    if (this.#serving) this.#serving.scheduler.threads = workers * threads
    const scheduler =
      this.#serving?.scheduler ?? new Scheduler({ threads: workers * threads, limit: this.#config.queueLimit })
    this.#serving = { classifier, scheduler }
  }

  /** Whether work is taken: the default model is loaded with a warm worker, and the service is not stopping. */
  get ready(): boolean {
    return !this.#draining && this.#serving !== null && this.#serving.classifier.pool.ready > 0
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
    return this.#allowance
  }

  /** Threads of the default model, once it is loaded. */
  get plan(): ThreadPlan | null {
    return this.#serving?.classifier.plan ?? null
  }

  /** The most views of a run of the default model; 0 until it is loaded. */
  get batch(): number {
    return this.#serving?.classifier.batch.views ?? 0
  }

  /** The queue. Throws SERVICE_NOT_READY until the default model is loaded. */
  get scheduler(): Scheduler {
    return this.#loaded.scheduler
  }

  /** What to count in the metrics; zeros until the default model is loaded. */
  get load(): { queued: number; age: number; busy: number; workers: number; backlog: number } {
    if (!this.#serving) return { queued: 0, age: 0, busy: 0, workers: 0, backlog: 0 }
    const { scheduler, classifier } = this.#serving
    const { depth, age, busy, backlog } = scheduler
    return { queued: depth, age, busy, workers: classifier.pool.ready, backlog }
  }

  /**
   * The model of this name, loaded when it is asked for the first time; without a name the default.
   * Rejects with SERVICE_NOT_READY, MODEL_MISSING, or the MODEL_ error that loading meets.
   */
  async classifier(name?: string): Promise<Classifier> {
    const { classifier } = this.#loaded
    if (name === undefined || name === classifier.manifest.name) return classifier
    if (this.#unloaded.has(name)) throw unloaded(name)
    return this.#load(name)
  }

  /**
   * What a model is like, of which nothing is loaded for that: the version that serves, else the highest.
   * Rejects with SERVICE_NOT_READY, MODEL_MISSING, MODEL_UNLOADED, MODEL_MANIFEST or MODEL_FORMAT.
   */
  async manifest(name: string): Promise<Manifest> {
    const { classifier } = this.#loaded
    if (name === classifier.manifest.name) return classifier.manifest
    if (this.#unloaded.has(name)) throw unloaded(name)
    const loaded = this.#loadedModels.get(name)
    return loaded ? loaded.manifest : readManifest((await findModel(this.#config.modelsDir, name)).folder)
  }

  /** The models of the folder by name and version, with what keeps a version from being asked, if anything. */
  async repository(): Promise<RepositoryEntry[]> {
    const models = await listModels(this.#config.modelsDir)
    return models.flatMap(({ name, versions }) =>
      versions.map((version) => ({ name, version, ...this.#unavailable(name, version) })),
    )
  }

  /**
   * Loads and warms a model, also one that was unloaded; one that is loaded is replaced as by {@link reload}.
   * Rejects as {@link classifier} does, and as loading does.
   */
  async loadModel(name: string): Promise<void> {
    await findModel(this.#config.modelsDir, name)
    this.#unloaded.delete(name)
    if (this.#loadedModels.has(name)) await this.#inTurn(() => this.#replace(name))
    else await this.classifier(name)
  }

  /**
   * Reads every loaded model anew, and the name of the default one: the highest version is verified, loaded and warmed
   * beside the one that serves, then takes its place; that one ends after its last answer. What fails is logged and
   * counted, and the one before goes on.
   */
  async reload(): Promise<void> {
    const names = [theDefault, ...this.#loadedModels.keys()]
    await Promise.allSettled(names.map((name) => this.#inTurn(() => this.#replace(name))))
  }

  /** One after the other: each needs the memory of a model twice. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#reloading.then(work)
    this.#reloading = turn.catch(() => {})
    return turn
  }

  async #replace(name: string): Promise<void> {
    try {
      if (name === theDefault) await this.#switchDefault()
      else await this.#replaceModel(name)
    } catch (error) {
      const { message, code } = error as FlowersError
      this.#instruments.reloads.inc({ model: name || 'default', result: 'failed' })
      this.#log.error({ model: name || 'default', code, reason: message }, 'reload failed: the model before goes on')
      throw error
    }
  }

  /** Serves the model by default that the file `default` names now. */
  async #switchDefault(): Promise<void> {
    const { name } = await resolveModel(this.#config.modelsDir, this.#config.model ?? undefined)
    this.#tried.set(theDefault, name)
    if (name === this.#loaded.classifier.manifest.name) return
    this.#unloaded.delete(name)
    this.#serve(await this.#load(name))
    this.#instruments.reloads.inc({ model: 'default', result: 'done' })
  }

  async #replaceModel(name: string): Promise<void> {
    const old = this.#loadedModels.get(name)
    if (!old) return
    // Else reloads that follow each other would hold the memory of a model three times and more.
    await Promise.all(this.#retiring.values())
    const location = await findModel(this.#config.modelsDir, name)
    const classifier = await this.#open(location)
    // Unloaded, or the service ended, in the meantime.
    if (this.closing.aborted || this.#loadedModels.get(name) !== old) return classifier.close()
    this.#classifiers.set(name, Promise.resolve(classifier))
    this.#loadedModels.set(name, classifier)
    if (this.#serving?.classifier === old) this.#serve(classifier)
    this.#instruments.reloads.inc({ model: name, result: 'done' })
    this.#describe(old, 0)
    this.#describe(classifier, 1)
    // Not awaited: who asked for the reload need not wait for the last requests of the old one.
    void this.#retire(old)
  }

  /** Looks every `ms` milliseconds whether folders changed, and reloads what did once it stays as it is. */
  #startWatching(ms: number): void {
    const settled = new Settled()
    const look = async (): Promise<void> => {
      try {
        const names = settled.look(await this.#look(), this.#tried)
        await Promise.allSettled(names.map((name) => this.#inTurn(() => this.#replace(name))))
      } catch (error) {
        // A folder that is being changed may lack what was listed; the next look tells.
        this.#log.error({ reason: String(error) }, 'the folder of models cannot be read')
      }
      if (!this.closing.aborted) this.#watch = setTimeout(() => void look(), ms).unref()
    }
    this.#watch = setTimeout(() => void look(), ms).unref()
  }

  /** The default name and the state of the version that would serve, for each model that is loaded. */
  async #look(): Promise<Map<string, string>> {
    const { modelsDir, model } = this.#config
    const found = new Map<string, string>()
    for (const name of [theDefault, ...this.#loadedModels.keys()]) {
      try {
        const location = await resolveModel(modelsDir, name || (model ?? undefined))
        found.set(name, name === theDefault ? location.name : await fingerprint(location.folder))
      } catch (error) {
        // Gone: what is loaded goes on, and a reload would say no more.
        if (!(error instanceof FlowersError)) throw error
      }
    }
    return found
  }

  /**
   * Answers what was asked of a model, then frees it; from now on it answers nothing until it is loaded again.
   * Rejects with MODEL_MISSING, or MODEL_IN_USE for the default model.
   */
  async unloadModel(name: string): Promise<void> {
    if (name === this.#loaded.classifier.manifest.name) {
      throw new ServiceError('MODEL_IN_USE', `${JSON.stringify(name)} is the model that answers by default.`)
    }
    await findModel(this.#config.modelsDir, name)
    this.#unloaded.add(name)
    const loading = this.#classifiers.get(name)
    this.#classifiers.delete(name)
    const loaded = this.#loadedModels.get(name)
    this.#loadedModels.delete(name)
    if (loaded) this.#describe(loaded, 0)
    const classifier = await loading?.catch(() => undefined)
    if (classifier) await this.#retire(classifier)
  }

  #retire(classifier: Classifier): Promise<void> {
    const freed = classifier.retire().finally(() => this.#retiring.delete(classifier))
    this.#retiring.set(classifier, freed)
    return freed
  }

  #unavailable(name: string, version: number): Pick<RepositoryEntry, 'reason' | 'retrySeconds'> {
    const retrySeconds = null
    if (this.#unloaded.has(name)) return { reason: 'unloaded', retrySeconds }
    const served = this.#loadedModels.get(name)
    if (!served) return { reason: 'not loaded', retrySeconds }
    if (served.manifest.version !== version)
      return { reason: `version ${served.manifest.version} serves`, retrySeconds }
    if (served.pool.ready > 0) return { reason: null, retrySeconds }
    return { reason: 'no worker is warm', retrySeconds: served.pool.retrySeconds ?? 0 }
  }

  /** Aborted with SERVICE_WORKER_LOST when the engine is closed: what waits then will not be done. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** Stops all workers, after the views that are running. */
  async close(): Promise<void> {
    this.#closing.abort(retryLater('SERVICE_WORKER_LOST', 'The service stopped before the answer was ready.', 1))
    clearTimeout(this.#watch)
    await this.#starting?.catch(() => {})
    clearTimeout(this.#watch)
    // Before the reload that waits for them, and those that it replaced after it.
    await this.#closeRetiring()
    await this.#reloading
    await this.#closeRetiring()
    const loaded = await Promise.allSettled(this.#classifiers.values())
    await Promise.all(loaded.flatMap((result) => (result.status === 'fulfilled' ? [result.value.close()] : [])))
    await this.#decoder?.close()
  }

  async #closeRetiring(): Promise<void> {
    await Promise.all([...this.#retiring.keys()].map((classifier) => classifier.close()))
  }

  get #loaded() {
    if (!this.#serving) throw retryLater('SERVICE_NOT_READY', 'The model is being loaded.', 1)
    return this.#serving
  }

  async #load(name: string): Promise<Classifier> {
    const location = await findModel(this.#config.modelsDir, name)
    if (this.#unloaded.has(name)) throw unloaded(name)
    const classifier = await (this.#classifiers.get(name) ?? this.#loadFirst(location))
    // The command came while it was being loaded: it frees the model.
    if (this.#unloaded.has(name)) throw unloaded(name)
    return classifier
  }

  #loadFirst(location: ModelLocation): Promise<Classifier> {
    const { name } = location
    const loading = this.#open(location)
    this.#classifiers.set(name, loading)
    const isWanted = (): boolean => this.#classifiers.get(name) === loading
    loading.then(
      (classifier) => {
        if (!isWanted()) return
        this.#loadedModels.set(name, classifier)
        this.#describe(classifier, 1)
      },
      // A model that failed to load is tried again when it is asked for again.
      () => isWanted() && this.#classifiers.delete(name),
    )
    return loading
  }

  /** In turn: what fits into the memory is known when the one before has its place. */
  #open(location: ModelLocation): Promise<Classifier> {
    const turn = this.#opening.then(() => this.#openNow(location))
    this.#opening = turn.catch(() => {})
    return turn
  }

  async #openNow(location: ModelLocation): Promise<Classifier> {
    this.closing.throwIfAborted()
    const started = performance.now()
    const { workers, threads, batch, pixelLimitMp, decodeTimeoutMs } = this.#config
    this.#tried.set(location.name, await fingerprint(location.folder))
    const loaded = [...this.#loadedModels.values()]
    const bytesOf = (chosen: (name: string) => boolean): number =>
      loaded.reduce((sum, { manifest, plan }) => sum + (chosen(manifest.name) ? plan.bytes : 0), 0)
    const classifier = await Classifier.load(location, {
      allowance: this.#allowance,
      batches: this.#batches,
      fixed: { workers, threads, batch },
      held: {
        others: bytesOf((name) => name !== location.name),
        replaced: bytesOf((name) => name === location.name),
      },
      decoder: this.#decoder!,
      decodeThreads: this.#cores,
      limits: { megapixels: pixelLimitMp, seconds: decodeTimeoutMs / 1000 },
      instruments: this.#instruments,
      onLost: (reason) => this.#log.error({ model: location.name, reason }, 'a worker stopped and is replaced'),
      onTurn: () => this.#serving?.scheduler.dispatch(),
    })
    const { plan, cost } = classifier
    this.#log.info(
      {
        model: location.name,
        version: location.version,
        plan: { ...plan, batch: classifier.batch.views, batchFrom: classifier.batch.source },
        viewMs: round(cost.seconds(1) * 1000),
        loadMs: round(performance.now() - started),
      },
      `model loaded: ${plan.workers} workers of ${plan.threads} threads on ${plan.cores} cores (${plan.source})`,
    )
    return classifier
  }

  /** Tells in the metrics that a model is loaded: 1, or not: 0. What may be counted of it begins at zero. */
  #describe({ manifest }: Classifier, value: 0 | 1): void {
    const { modelInfo, classPrior, confidence, abstentions, predictions, reloads } = this.#instruments
    const { name: model, version, architecture } = manifest
    const labels = { model, version: String(version), architecture }
    if (value === 0) {
      modelInfo.remove(labels)
      for (const label of manifest.labels) classPrior.remove({ model, label })
      return
    }
    modelInfo.set(labels, value)
    if (!this.#counted.has(model)) confidence.zero({ model })
    this.#counted.add(model)
    abstentions.inc({ model }, 0)
    for (const result of reloadResults) reloads.inc({ model, result }, 0)
    for (const [index, label] of manifest.labels.entries()) {
      classPrior.set({ model, label }, manifest.classPrior[index]!)
      predictions.inc({ model, label }, 0)
    }
  }
}

function unloaded(name: string): FlowersError {
  return new ServiceError('MODEL_UNLOADED', `The model ${JSON.stringify(name)} was unloaded.`)
}

/** Decodes a small picture on every thread, so that the first request does not wait for codecs to be loaded. */
async function warmUp(decoder: Decoder, threads: number): Promise<void> {
  const blank = { width: 64, height: 64, channels: 3, background: 'grey' } as const
  const picture = await sharp({ create: blank }).jpeg().toBuffer()
  const preprocessing = { size: 32, cropFraction: 1, kernel: 'bilinear', ...imagenetNormalization } as const
  await Promise.all(Array.from({ length: threads }, () => decoder.decodeViews(picture, preprocessing, [1])))
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
