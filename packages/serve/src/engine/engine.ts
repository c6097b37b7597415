import { FlowersError } from '@flowers/shared/errors'
import { configureSharp } from '@flowers/shared/image'
import { listModels, resolveModel } from '@flowers/shared/model-package'
import { imagenetNormalization } from '@flowers/shared/preprocessing'
import { startPreprocessor } from '@flowers/shared/preprocessor'
import type { Preprocessor } from '@flowers/shared/preprocessor'
import sharp from 'sharp'
import type { Config } from '../config.ts'
import type { Instruments } from '../instruments.ts'
import { retryLater } from '../service-error.ts'
import { Classifier } from './classifier.ts'
import type { ThreadPlan } from './plan.ts'
import { readAllowance } from './plan.ts'
import { Scheduler } from './scheduler.ts'

/** The part of a logger that the engine uses. */
interface Log {
  info(facts: object, message: string): void
  error(facts: object, message: string): void
}

export type EngineConfig = Pick<Config, 'modelsDir' | 'model' | 'workers' | 'threads' | 'queueLimit' | 'pixelLimitMp'>

/** A version of a model that there is; `reason` tells why it cannot be asked, null: it can. */
export interface RepositoryEntry {
  readonly name: string
  readonly version: number
  readonly reason: string | null
}

/** The models that serve, and the queue before them. */
export class Engine {
  readonly #config: EngineConfig
  readonly #instruments: Instruments
  readonly #log: Log
  readonly #allowance = readAllowance()
  readonly #classifiers = new Map<string, Promise<Classifier>>()
  /** Those of them that are loaded. */
  readonly #loadedModels = new Map<string, Classifier>()
  /** Names that were unloaded by command: they stay so until the command to load. */
  readonly #unloaded = new Set<string>()
  #starting: Promise<void> | null = null
  #preprocessor: Preprocessor | null = null
  #serving: { classifier: Classifier; scheduler: Scheduler } | null = null
  #draining = false

  constructor(config: EngineConfig, instruments: Instruments, log: Log) {
    this.#config = config
    this.#instruments = instruments
    this.#log = log
  }

  /** Loads and warms the model that serves by default. Rejects with the MODEL_ error that it meets. */
  start(): Promise<void> {
    return (this.#starting ??= this.#start())
  }

  async #start(): Promise<void> {
    configureSharp({ concurrency: 1 })
    const threads = Math.max(1, Math.floor(this.#allowance.cores))
    this.#preprocessor = startPreprocessor({ threads })
    const { name } = await resolveModel(this.#config.modelsDir, this.#config.model ?? undefined)
    const [classifier] = await Promise.all([this.#load(name), warmUp(this.#preprocessor, threads)])
    const scheduler = new Scheduler({ slots: classifier.plan.workers, limit: this.#config.queueLimit })
    scheduler.measured(classifier.expectedSeconds)
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

  /** Threads of the default model, once it is loaded. */
  get plan(): ThreadPlan | null {
    return this.#serving?.classifier.plan ?? null
  }

  /** The queue. Throws SERVICE_NOT_READY until the default model is loaded. */
  get scheduler(): Scheduler {
    return this.#loaded.scheduler
  }

  /** What to count in the metrics; zeros until the default model is loaded. */
  get load(): { queued: number; busy: number; workers: number } {
    if (!this.#serving) return { queued: 0, busy: 0, workers: 0 }
    const { scheduler, classifier } = this.#serving
    return { queued: scheduler.depth, busy: scheduler.busy, workers: classifier.pool.ready }
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

  /** The models of the folder by name and version, with what keeps a version from being asked, if anything. */
  async repository(): Promise<RepositoryEntry[]> {
    const models = await listModels(this.#config.modelsDir)
    return models.flatMap(({ name, versions }) =>
      versions.map((version) => ({ name, version, reason: this.#unavailable(name, version) })),
    )
  }

  /** Loads and warms a model, also one that was unloaded. Rejects as {@link classifier} does. */
  async loadModel(name: string): Promise<void> {
    await resolveModel(this.#config.modelsDir, name)
    this.#unloaded.delete(name)
    await this.classifier(name)
  }

  /**
   * Answers what was asked of a model, then frees it; from now on it answers nothing until it is loaded again.
   * Rejects with MODEL_MISSING, or MODEL_IN_USE for the default model.
   */
  async unloadModel(name: string): Promise<void> {
    if (name === this.#loaded.classifier.manifest.name) {
      throw new FlowersError('MODEL_IN_USE', `${JSON.stringify(name)} is the model that answers by default.`)
    }
    await resolveModel(this.#config.modelsDir, name)
    this.#unloaded.add(name)
    const loading = this.#classifiers.get(name)
    this.#classifiers.delete(name)
    this.#loadedModels.delete(name)
    await (await loading?.catch(() => undefined))?.retire()
  }

  #unavailable(name: string, version: number): string | null {
    if (this.#unloaded.has(name)) return 'unloaded'
    const served = this.#loadedModels.get(name)
    if (!served) return 'not loaded'
    if (served.manifest.version !== version) return `version ${served.manifest.version} serves`
    return served.pool.ready > 0 ? null : 'no worker is warm'
  }

  /** Stops all workers, after the views that are running. */
  async close(): Promise<void> {
    await this.#starting?.catch(() => {})
    const loaded = await Promise.allSettled(this.#classifiers.values())
    await Promise.all(loaded.flatMap((result) => (result.status === 'fulfilled' ? [result.value.close()] : [])))
    await this.#preprocessor?.close()
  }

  get #loaded() {
    if (!this.#serving) throw retryLater('SERVICE_NOT_READY', 'The model is being loaded.', 1)
    return this.#serving
  }

  async #load(name: string): Promise<Classifier> {
    const location = await resolveModel(this.#config.modelsDir, name)
    const known = this.#classifiers.get(name)
    if (known) return known
    const loading = this.#open(location)
    this.#classifiers.set(name, loading)
    // A model that failed to load is tried again when it is asked for again.
    loading.then(
      (classifier) => {
        if (this.#classifiers.get(name) === loading) this.#loadedModels.set(name, classifier)
      },
      () => this.#classifiers.delete(name),
    )
    return loading
  }

  async #open(location: Awaited<ReturnType<typeof resolveModel>>): Promise<Classifier> {
    const started = performance.now()
    const { workers, threads, pixelLimitMp } = this.#config
    const classifier = await Classifier.load(location, {
      allowance: this.#allowance,
      fixed: { workers, threads },
      preprocessor: this.#preprocessor!,
      megapixels: pixelLimitMp,
      instruments: this.#instruments,
      onLost: (reason) => this.#log.error({ model: location.name, reason }, 'a worker stopped and is replaced'),
    })
    const { plan, pool } = classifier
    this.#log.info(
      {
        model: location.name,
        version: location.version,
        plan: { ...plan, batch: pool.batch },
        viewMs: round(pool.viewSeconds * 1000),
        loadMs: round(performance.now() - started),
      },
      `model loaded: ${plan.workers} workers of ${plan.threads} threads on ${plan.cores} cores (${plan.source})`,
    )
    return classifier
  }
}

function unloaded(name: string): FlowersError {
  return new FlowersError('MODEL_UNLOADED', `The model ${JSON.stringify(name)} was unloaded.`)
}

/** Decodes a small picture on every thread, so that the first request does not wait for codecs to be loaded. */
async function warmUp(preprocessor: Preprocessor, threads: number): Promise<void> {
  const blank = { width: 64, height: 64, channels: 3, background: 'grey' } as const
  const picture = await sharp({ create: blank }).jpeg().toBuffer()
  const preprocessing = { size: 32, cropFraction: 1, kernel: 'bilinear', ...imagenetNormalization } as const
  await Promise.all(Array.from({ length: threads }, () => preprocessor.decodeViews(picture, preprocessing, [1])))
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
