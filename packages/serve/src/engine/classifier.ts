import { builtModule } from '@flowers/shared/built-module'
import { answer } from '@flowers/shared/model/calibration'
import type { Answer } from '@flowers/shared/model/calibration'
import type { Canvas } from '@flowers/shared/image/canvas'
import type { ImageLimits } from '@flowers/shared/image/decode'
import type { Manifest } from '@flowers/shared/model/manifest'
import { modelFiles, openModel } from '@flowers/shared/model/package'
import type { ModelLocation } from '@flowers/shared/model/package'
import type { Decoder } from '@flowers/shared/image/decode-threads'
import { argmax, earliestStop, softmax, viewPolicies } from '@flowers/shared/model/views'
import { scalesOf } from '@flowers/shared/image/view'
import type { ViewPolicy } from '@flowers/shared/model/views'
import type { View } from '@flowers/shared/image/view'
import type { Instruments } from '../observe/instruments.ts'
import type { Stopwatch } from '../observe/stopwatch.ts'
import { chooseBatch, trial, warmUpFor, wasDisturbed } from './batch.ts'
import { batchSetup, batchesFile } from './batch-cache.ts'
import type { BatchCache } from './batch-cache.ts'
import { average, Cost, fitLine, latency, work } from './scheduler/cost.ts'
import type { ServiceLevel } from './scheduler/forecast.ts'
import { planThreads, sessionBytes } from './plan.ts'
import type { Allowance, Held, ThreadPlan } from './plan.ts'
import { Pool } from './pool.ts'
import type { ViewInput } from './messages.ts'
import type { Runner, Scheduler, Ticket } from './scheduler/scheduler.ts'
import { inferViews } from './views.ts'
import { ServiceError } from '../errors.ts'

/** What one image is asked with. */
export interface ClassifyOptions {
  readonly policy: ViewPolicy
  readonly topK: number
  /** Also tell what each view said. */
  readonly details?: boolean
  readonly ticket: Ticket
  /** Aborted when nobody waits for the answer any more: nothing is started after that. */
  readonly signal: AbortSignal
  /** Times its stages, from here on decode. */
  readonly watch: Stopwatch
}

/** Images that want to be let in. */
export interface AdmissionRequest {
  readonly images: number
  /** What they may be answered with, best first; see {@link Classifier.policies}. */
  readonly policies: readonly ViewPolicy[]
  /** Seconds until the deadline. */
  readonly seconds: number
}

/** What one view said: its best class, and the calibrated probability of that by this view alone. */
interface ViewAnswer extends View {
  readonly label: string
  readonly index: number
  readonly score: number
}

/** Milliseconds of an image. `decode`: with resizing; `total`: from the headers of the request, all stages. */
export interface Timings {
  readonly decode: number
  readonly queue: number
  readonly infer: number
  readonly total: number
}

/** The answer to one image. */
export interface Classification extends Answer {
  readonly model: { readonly name: string; readonly version: number }
  readonly views: { readonly used: number; readonly of: number; readonly policy: ViewPolicy }
  readonly details?: {
    readonly views: ViewAnswer[]
    /** Share of pictures whose true label is in `set`; null: not fitted. */
    readonly coverage: number | null
  }
  readonly timings: Timings
}

/** Where the model looked for some of its classes, in the plain view of one image. */
export interface Explanation {
  readonly model: { readonly name: string; readonly version: number }
  /** The plain view: the middle of the picture. */
  readonly canvas: Canvas
  readonly height: number
  readonly width: number
  readonly maps: readonly ClassMap[]
  readonly timings: Timings
}

interface ClassMap {
  readonly label: string
  readonly index: number
  readonly logit: number
  /** height x width, row by row: what each place adds to the logit. They sum to it, less a constant of the class. */
  readonly values: Float64Array
}

export interface ClassifierOptions {
  readonly allowance: Allowance
  /** Batches that were measured before. */
  readonly batches: BatchCache
  readonly fixed: { readonly workers: number | null; readonly threads: number | null; readonly batch: number | null }
  readonly held: Held
  readonly decoder: Decoder
  /** Threads of the decoder. */
  readonly decodeThreads: number
  /** Of an image. */
  readonly limits: ImageLimits
  readonly instruments: Instruments
  /** Called when a worker stopped by itself and is being replaced. */
  readonly onLost: (reason: string) => void
  /** Called when what waits may go on: a worker has become warm, or none can be started and all is refused. */
  readonly onTurn: () => void
}

/** The most views of a run, and where the number is from: the settings, this start, or one before. */
interface ChosenBatch {
  readonly views: number
  readonly source: 'configured' | 'measured' | 'kept'
}

/** Weight of the newest image in the averages of what images need. */
const newestWeight = 0.1

/** One model, loaded: its workers and the rules of its answers. */
export class Classifier {
  readonly manifest: Manifest
  readonly plan: ThreadPlan
  readonly pool: Pool
  readonly batch: ChosenBatch
  readonly cost: Cost
  readonly #options: ClassifierOptions
  readonly #runner: Runner
  /** Views that an image needs on average, by policy. */
  readonly #usualViews = new Map<ViewPolicy, number>()
  #decodeSeconds = 0
  #asked = 0
  #idle: (() => void) | null = null

  private constructor(
    manifest: Manifest,
    plan: ThreadPlan,
    pool: Pool,
    chosen: ChosenBatch,
    options: ClassifierOptions,
  ) {
    this.manifest = manifest
    this.plan = plan
    this.pool = pool
    this.batch = chosen
    this.cost = new Cost(fitLine(pool.measured), seconds())
    this.#options = options
    const { cost } = this
    this.#runner = {
      get free() {
        // What waits for a pool that cannot run it is let go to be refused by it.
        return pool.retrySeconds === null ? pool.free : plan.workers
      },
      threads: plan.threads,
      batch: chosen.views,
      seconds: (views) => cost.seconds(views),
      run: async (views) => {
        const result = await pool.run(views)
        cost.measured(views.length, result.seconds, seconds())
        for (const _ of views) {
          const labels = { model: manifest.name }
          options.instruments.viewSeconds.observe(labels, result.seconds / views.length)
        }
        options.instruments.runViews.observe({ model: manifest.name }, views.length)
        return result
      },
    }
  }

  /**
   * Verifies the model folder, then starts and warms its workers. The quantized network serves when there is one: it
   * is there only when it passed its gate. Throws what `openModel` throws, MODEL_MEMORY and MODEL_OUTPUT.
   */
  static async load(location: ModelLocation, options: ClassifierOptions): Promise<Classifier> {
    const { manifest, network, quantized } = await openModel(location.folder)
    const file = manifest.files[quantized ? modelFiles.quantized : modelFiles.network]!
    const { preprocessing, labels, name } = manifest
    const { sha256 } = file
    const bytes = sessionBytes(file.bytes, preprocessing.size)
    const { held, fixed } = options
    const plan = planThreads(options.allowance, bytes, fixed, held)
    const setup = batchSetup({ sha256, size: preprocessing.size }, plan)
    const batches = batchesFile(location)
    const kept = fixed.batch === null ? await options.batches.find(batches, setup) : null
    const known = fixed.batch ?? kept?.batch ?? null
    const pool = new Pool({
      module: builtModule(import.meta.url, './worker.ts'),
      workers: plan.workers,
      settings: {
        network: quantized ?? network,
        bytes: file.bytes,
        sha256,
        classes: labels.length,
        preprocessing,
        threads: plan.threads,
        warmUp: known === null ? trial : warmUpFor(known),
      },
      onLost: (reason) => {
        options.instruments.workersLost.inc({ model: name })
        options.onLost(reason)
      },
      onWarm: options.onTurn,
      onDown: options.onTurn,
    })
    await pool.start()
    options.instruments.workersLost.inc({ model: name }, 0)
    const views = known ?? chooseBatch(pool.measured)
    if (known === null) {
      pool.warmUpBy(warmUpFor(views))
      await options.batches.keep(batches, setup, { batch: views, seconds: [...pool.measured] })
    } else if (kept !== null && wasDisturbed(kept.seconds, pool.measured)) {
      await options.batches.forget(batches, setup)
    }
    const source = fixed.batch !== null ? 'configured' : kept === null ? 'measured' : 'kept'
    return new Classifier(manifest, plan, pool, { views, source }, options)
  }

  /**
   * What an image may be answered with that is asked with `policy`: that, and when the service may step down the
   * cheaper ones after it. `fast` is left out where it was not fitted.
   */
  policies(policy: ViewPolicy, mayStepDown: boolean): ViewPolicy[] {
    const { views, calibration } = this.manifest
    const asked = policy === 'fast' && !calibration.fastLead ? 'exact' : policy
    if (!mayStepDown || views.length === 1) return [asked]
    const cheaper = viewPolicies.slice(viewPolicies.indexOf(asked) + 1)
    return [asked, ...cheaper.filter((each) => each !== 'fast' || calibration.fastLead)]
  }

  /** Admits images, all or none, with the best policy in time. Throws SERVICE_OVERLOADED and SERVICE_NOT_READY. */
  admit(
    scheduler: Scheduler,
    { images, policies, seconds: left }: AdmissionRequest,
  ): { tickets: Ticket[]; policy: ViewPolicy } {
    const levels = policies.map((policy) => this.#level(policy, this.#usual(policy)))
    const { tickets, level } = this.#admit(scheduler, images, levels, left)
    const policy = level.policy
    if (policy !== policies[0]) this.#options.instruments.steppedDown.inc({ to: policy }, images)
    return { tickets, policy }
  }

  /** Admits a request of `rows` views that are tensors already. Throws SERVICE_OVERLOADED and SERVICE_NOT_READY. */
  admitRows(scheduler: Scheduler, rows: number, left: number): Ticket {
    return this.#admit(scheduler, 1, [this.#level('full', rows)], left).tickets[0]!
  }

  #admit(scheduler: Scheduler, images: number, levels: readonly ServiceLevel[], left: number) {
    this.pool.assertRunnable()
    const decode = this.#decodeSeconds * this.#decodeTurns
    return scheduler.admit({ images, levels, decode, seconds: left, stale: this.cost.isStale(seconds()) })
  }

  #level(policy: ViewPolicy, views: number): ServiceLevel {
    const { threads, workers } = this.plan
    return {
      policy,
      work: threads * work(this.cost, views, this.batch.views),
      latency: latency(this.cost, views, workers, this.batch.views),
    }
  }

  /** Pictures, its own included, that a thread decodes until one that comes now is decoded. */
  get #decodeTurns(): number {
    return 1 + this.#options.decoder.waiting() / this.#options.decodeThreads
  }

  #usual(policy: ViewPolicy): number {
    const { views, calibration } = this.manifest
    return this.#usualViews.get(policy) ?? earliestStop(policy, views.length, calibration.fastLead)
  }

  /**
   * Classifies one image: decode, wait for a slot, infer as many views as the policy asks for, merge.
   * Rejects with the IMAGE_ errors of `decodeViews`, the reason of the signal, SERVICE_WORKER_LOST, SERVICE_NOT_READY or
   * MODEL_OUTPUT.
   */
  async classify(bytes: Uint8Array, question: ClassifyOptions, scheduler: Scheduler): Promise<Classification> {
    return this.#asking(() => this.#classify(bytes, question, scheduler))
  }

  /**
   * Logits of `rows`, each 3 x S x S normalised values in shared memory: one view each, as it is. They share one
   * ticket, as the views of a picture do. Rejects as {@link classify} does.
   */
  async infer(
    rows: readonly Float32Array[],
    { ticket, signal }: Pick<ClassifyOptions, 'ticket' | 'signal'>,
  ): Promise<Float32Array[]> {
    return this.#asking(async () => {
      try {
        const views = rows.map((values) => ({ values }))
        const outcomes = await Promise.all(ticket.run(this.#runner, views, signal))
        return outcomes.map(({ logits }) => logits)
      } finally {
        ticket.leave()
      }
    })
  }

  /**
   * Where the model looked for the classes with these labels, or for its best class where there are none: class
   * activation maps (Zhou et al. 2016, arXiv:1512.04150) of the plain view, which are exact, as only pooling and a linear
   * layer follow. Rejects with MODEL_WITHOUT_MAPS, SERVICE_PARAMETER for a label that the model does not have, and as
   * {@link classify} does.
   */
  async explain(
    bytes: Uint8Array,
    question: Pick<ClassifyOptions, 'ticket' | 'signal' | 'watch'> & { readonly labels: readonly string[] },
  ): Promise<Explanation> {
    return this.#asking(() => this.#explain(bytes, question))
  }

  async #explain(
    bytes: Uint8Array,
    {
      labels,
      ticket,
      signal,
      watch,
    }: Pick<ClassifyOptions, 'ticket' | 'signal' | 'watch'> & { readonly labels: readonly string[] },
  ): Promise<Explanation> {
    const { name, version } = this.manifest
    let answered = false
    try {
      if (!this.pool.explains) throw new ServiceError('MODEL_WITHOUT_MAPS', `The model ${name} has no class maps.`)
      const wanted = labels.map((label) => this.#indexOf(label))
      const [canvas] = await this.#canvases(bytes, [1], signal, watch)
      const view: ViewInput = { flip: 'none', pixels: shareBytes(canvas!.pixels), maps: true }
      const { logits, maps, started } = await ticket.run(this.#runner, [view], signal)[0]!
      watch.lap('queue', started)
      watch.lap('infer')
      answered = true
      const { values, height, width } = maps!
      const places = height * width
      const indices = wanted.length > 0 ? wanted : [argmax(logits)]
      const classMaps = indices.map((index) => ({
        label: this.manifest.labels[index]!,
        index,
        logit: logits[index]!,
        values: Float64Array.from(values.subarray(index * places, (index + 1) * places), (value) => value / places),
      }))
      watch.lap('merge')
      return {
        model: { name, version },
        canvas: canvas!,
        height,
        width,
        maps: classMaps,
        timings: timingsOf(watch),
      }
    } finally {
      ticket.leave(answered)
    }
  }

  #indexOf(label: string): number {
    const index = this.manifest.labels.indexOf(label)
    if (index >= 0) return index
    throw new ServiceError(
      'SERVICE_PARAMETER',
      `The model ${this.manifest.name} has no label ${JSON.stringify(label)}.`,
    )
  }

  async #classify(bytes: Uint8Array, question: ClassifyOptions, scheduler: Scheduler): Promise<Classification> {
    const { ticket, signal, topK, watch } = question
    const { name, version, views, calibration } = this.manifest
    const fast = calibration.fastLead
    const policy = question.policy === 'fast' && !fast ? 'exact' : question.policy
    let answered = false
    const turns = this.#decodeTurns
    try {
      const inputs = await this.#decode(bytes, policy === 'none' ? views.slice(0, 1) : views, signal, watch)
      const { decode, preprocess } = watch.milliseconds
      this.#decodeSeconds = average(this.#decodeSeconds, (decode + preprocess) / 1000 / turns, newestWeight)
      let first = Infinity
      const said: ViewAnswer[] = []
      const merged = await inferViews(
        { policy, of: views.length, fast },
        {
          spare: () => scheduler.spare(this.#runner),
          run: (indices) => {
            const inputsOf = indices.map((index) => inputs[index]!)
            return ticket.run(this.#runner, inputsOf, signal).map(async (running, place) => {
              const outcome = await running
              first = Math.min(first, outcome.started)
              watch.trace?.span('normalise', outcome.started, outcome.started + outcome.prepareSeconds * 1000)
              const index = indices[place]!
              if (question.details) said[index] = this.#viewAnswer(views[index]!, outcome.logits)
              return outcome.logits
            })
          },
        },
      )
      watch.lap('queue', first)
      watch.lap('infer')
      const { used, of } = merged
      this.#usualViews.set(policy, average(this.#usual(policy), used, newestWeight))
      const content = answer(merged.probabilities, used, this.manifest, topK)
      this.#count(policy, used, content)
      watch.lap('merge')
      answered = true
      const details = { views: said.slice(0, used), coverage: calibration.conformal?.coverage ?? null }
      return {
        model: { name, version },
        ...content,
        views: { used, of, policy },
        ...(question.details ? { details } : {}),
        timings: timingsOf(watch),
      }
    } finally {
      ticket.leave(answered)
    }
  }

  /** What tells in the metrics how good answers are, where nobody says which are right. */
  #count(policy: ViewPolicy, used: number, { predictions, abstain }: Answer): void {
    const { viewsUsed, confidence, abstentions, predictions: counted } = this.#options.instruments
    const model = this.manifest.name
    const best = predictions[0]!
    viewsUsed.observe({ policy }, used)
    confidence.observe({ model }, best.score)
    abstentions.inc({ model }, abstain ? 1 : 0)
    counted.inc({ model, label: best.label })
  }

  /** Stops the workers. */
  async close(): Promise<void> {
    await this.pool.close()
  }

  /** Stops the workers when all that was asked is answered. */
  async retire(): Promise<void> {
    // Who was given this model in this turn of the event loop may ask it yet.
    await new Promise(setImmediate)
    if (this.#asked > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    await this.close()
  }

  async #asking<T>(work: () => Promise<T>): Promise<T> {
    this.#asked++
    try {
      return await work()
    } finally {
      if (--this.#asked === 0) this.#idle?.()
    }
  }

  #viewAnswer(view: View, logits: ArrayLike<number>): ViewAnswer {
    const best = answer(softmax(logits), 1, this.manifest, 1).predictions[0]!
    return { ...view, ...best }
  }

  async #canvases(
    bytes: Uint8Array,
    scales: readonly number[],
    signal: AbortSignal,
    watch: Stopwatch,
  ): Promise<Canvas[]> {
    const { decoder, limits } = this.#options
    const { preprocessing } = this.manifest
    const { canvases, resizeSeconds } = await decoder.decodeViews(bytes, preprocessing, scales, { limits, signal })
    watch.lap('decode', performance.now() - resizeSeconds * 1000)
    watch.lap('preprocess')
    return canvases
  }

  async #decode(
    bytes: Uint8Array,
    views: readonly View[],
    signal: AbortSignal,
    watch: Stopwatch,
  ): Promise<ViewInput[]> {
    const scales = scalesOf(views)
    const shared = (await this.#canvases(bytes, scales, signal, watch)).map(({ pixels }) => shareBytes(pixels))
    return views.map(({ flip, scale }) => ({ flip, pixels: shared[scales.indexOf(scale)]! }))
  }
}

/** A copy that worker threads can read. */
function shareBytes(bytes: Uint8Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes.length)
  new Uint8Array(buffer).set(bytes)
  return buffer
}

function timingsOf({ milliseconds, total }: Stopwatch): Timings {
  const { decode, preprocess, queue, infer } = milliseconds
  return { decode: decode + preprocess, queue, infer, total }
}

function seconds(): number {
  return performance.now() / 1000
}
