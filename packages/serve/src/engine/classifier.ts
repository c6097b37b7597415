import { stat } from 'node:fs/promises'
import { builtModule } from '@flowers/shared/built-module'
import { answer } from '@flowers/shared/calibration'
import type { Answer } from '@flowers/shared/calibration'
import type { Canvas } from '@flowers/shared/canvas'
import { FlowersError } from '@flowers/shared/errors'
import type { Manifest } from '@flowers/shared/manifest'
import { openModel } from '@flowers/shared/model-package'
import type { ModelLocation } from '@flowers/shared/model-package'
import type { Preprocessor } from '@flowers/shared/preprocessor'
import { argmax, earliestStop, scalesOf, softmax } from '@flowers/shared/views'
import type { View, ViewPolicy } from '@flowers/shared/views'
import type { Instruments, Stage } from '../instruments.ts'
import { planThreads } from './plan.ts'
import type { Allowance, ThreadPlan } from './plan.ts'
import { Pool } from './pool.ts'
import type { ViewInput } from './protocol.ts'
import type { Scheduler, Ticket } from './scheduler.ts'
import { inferViews } from './views.ts'

/** What one image is asked with. */
export interface Question {
  readonly policy: ViewPolicy
  readonly topK: number
  /** Also tell what each view said. */
  readonly details?: boolean
  readonly ticket: Ticket
  /** Aborted when nobody waits for the answer any more: nothing is started after that. */
  readonly signal: AbortSignal
}

/** What one view said: its best class, and the calibrated probability of that by this view alone. */
interface ViewAnswer extends View {
  readonly label: string
  readonly index: number
  readonly score: number
}

/** The answer to one image, without the time of its request. */
export interface Classification extends Answer {
  readonly model: { readonly name: string; readonly version: number }
  readonly views: { readonly used: number; readonly of: number; readonly policy: ViewPolicy }
  readonly details?: {
    readonly views: ViewAnswer[]
    /** Share of pictures whose true label is in `set`; null: not fitted. */
    readonly coverage: number | null
  }
  /** Milliseconds. */
  readonly timings: { readonly decode: number; readonly queue: number; readonly infer: number }
}

/** Where the model looked for some of its classes, in the plain view of one image. */
export interface Explanation {
  readonly model: { readonly name: string; readonly version: number }
  /** The plain view: the middle of the picture. */
  readonly canvas: Canvas
  readonly height: number
  readonly width: number
  readonly maps: readonly ClassMap[]
  readonly timings: { readonly decode: number; readonly queue: number; readonly infer: number }
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
  readonly fixed: { readonly workers: number | null; readonly threads: number | null }
  readonly preprocessor: Preprocessor
  /** Millions of pixels of an image. */
  readonly megapixels: number
  readonly instruments: Instruments
  /** Called when a worker stopped by itself and is being replaced. */
  readonly onLost: (reason: string) => void
}

/** Sizes of batches to try when a worker warms up. */
const batchSizes = [1, 2, 4]

/** One model, loaded: its workers and the rules of its answers. */
export class Classifier {
  readonly manifest: Manifest
  readonly plan: ThreadPlan
  readonly pool: Pool
  readonly #options: ClassifierOptions
  #asked = 0
  #idle: (() => void) | null = null

  private constructor(manifest: Manifest, plan: ThreadPlan, pool: Pool, options: ClassifierOptions) {
    this.manifest = manifest
    this.plan = plan
    this.pool = pool
    this.#options = options
  }

  /**
   * Verifies the model folder, then starts and warms its workers. The quantized network serves when there is one: it
   * is there only when it passed its gate. Throws what `openModel` throws, and MODEL_OUTPUT.
   */
  static async load(location: ModelLocation, options: ClassifierOptions): Promise<Classifier> {
    const { manifest, network, quantized } = await openModel(location.folder)
    const file = quantized ?? network
    const plan = planThreads(options.allowance, (await stat(file)).size, options.fixed)
    const { preprocessing, labels, name } = manifest
    const pool = new Pool({
      module: builtModule(import.meta.url, './worker.ts'),
      workers: plan.workers,
      settings: {
        network: file,
        classes: labels.length,
        preprocessing,
        threads: plan.threads,
        batches: batchSizes.filter((size) => size <= manifest.views.length),
      },
      onLost: (reason) => {
        options.instruments.workersLost.inc({ model: name })
        options.onLost(reason)
      },
    })
    await pool.start()
    options.instruments.workersLost.inc({ model: name }, 0)
    options.instruments.modelInfo.set(
      { model: name, version: String(manifest.version), architecture: manifest.architecture },
      1,
    )
    return new Classifier(manifest, plan, pool, options)
  }

  /**
   * Classifies one image: decode, wait for a slot, infer as many views as the policy asks for, merge.
   * Rejects with the IMAGE_ errors of `decodeViews`, the reason of the signal, SERVICE_WORKER_LOST or MODEL_OUTPUT.
   */
  async classify(bytes: Uint8Array, question: Question, scheduler: Scheduler): Promise<Classification> {
    return this.#count(() => this.#classify(bytes, question, scheduler))
  }

  /**
   * Logits of `rows`, each 3 x S x S normalised values in shared memory: one view each, as it is. They share one
   * slot, as the views of a picture do. Rejects as {@link classify} does.
   */
  async infer(
    rows: readonly Float32Array[],
    question: Pick<Question, 'ticket' | 'signal'>,
    scheduler: Scheduler,
  ): Promise<Float32Array[]> {
    return this.#count(() => this.#infer(rows, question, scheduler))
  }

  /**
   * Where the model looked for the classes with these labels, or for its best class where there are none: class
   * activation maps (Zhou et al. 2016, arXiv:1512.04150) of the plain view, which are exact, as only pooling and a linear
   * layer follow. Rejects with MODEL_WITHOUT_MAPS, SERVICE_PARAMETER for a label that the model does not have, and as
   * {@link classify} does.
   */
  async explain(
    bytes: Uint8Array,
    question: Pick<Question, 'ticket' | 'signal'> & { readonly labels: readonly string[] },
    scheduler: Scheduler,
  ): Promise<Explanation> {
    return this.#count(() => this.#explain(bytes, question, scheduler))
  }

  async #explain(
    bytes: Uint8Array,
    { labels, ticket, signal }: Pick<Question, 'ticket' | 'signal'> & { readonly labels: readonly string[] },
    scheduler: Scheduler,
  ): Promise<Explanation> {
    const { name, version } = this.manifest
    const watch = new Stopwatch(this.#options.instruments)
    let release: (() => void) | undefined
    try {
      if (!this.pool.explains) throw new FlowersError('MODEL_WITHOUT_MAPS', `The model ${name} has no class maps.`)
      const wanted = labels.map((label) => this.#indexOf(label))
      const [canvas] = await this.#canvases(bytes, [1], signal)
      const pixels = shareBytes(canvas!.pixels)
      watch.lap('decode')
      release = await ticket.slot(signal)
      watch.lap('queue')
      signal.throwIfAborted()
      const { logits, maps, seconds } = await this.pool.run([{ flip: 'none', pixels, maps: true }])
      scheduler.measured(seconds)
      watch.lap('infer')
      const { decode, queue, infer } = watch.milliseconds
      const { values, height, width } = maps!
      const places = height * width
      const indices = wanted.length > 0 ? wanted : [argmax(logits[0]!)]
      return {
        model: { name, version },
        canvas: canvas!,
        height,
        width,
        maps: indices.map((index) => ({
          label: this.manifest.labels[index]!,
          index,
          logit: logits[0]![index]!,
          values: Float64Array.from(values.subarray(index * places, (index + 1) * places), (value) => value / places),
        })),
        timings: { decode, queue, infer },
      }
    } finally {
      ticket.leave()
      release?.()
    }
  }

  #indexOf(label: string): number {
    const index = this.manifest.labels.indexOf(label)
    if (index >= 0) return index
    throw new FlowersError(
      'SERVICE_PARAMETER',
      `The model ${this.manifest.name} has no label ${JSON.stringify(label)}.`,
    )
  }

  async #infer(
    rows: readonly Float32Array[],
    { ticket, signal }: Pick<Question, 'ticket' | 'signal'>,
    scheduler: Scheduler,
  ): Promise<Float32Array[]> {
    let release: (() => void) | undefined
    try {
      release = await ticket.slot(signal)
      const logits: Float32Array[] = []
      let seconds = 0
      for (let row = 0; row < rows.length; row += this.pool.batch) {
        signal.throwIfAborted()
        const views = rows.slice(row, row + this.pool.batch).map((values) => ({ values }))
        const result = await this.pool.run(views)
        seconds += result.seconds
        logits.push(...result.logits)
      }
      scheduler.measured(seconds)
      return logits
    } finally {
      ticket.leave()
      release?.()
    }
  }

  async #classify(bytes: Uint8Array, question: Question, scheduler: Scheduler): Promise<Classification> {
    const { ticket, signal, topK } = question
    const { name, version, views, calibration } = this.manifest
    const fast = calibration.fastLead
    const policy = question.policy === 'fast' && !fast ? 'exact' : question.policy
    const watch = new Stopwatch(this.#options.instruments)
    let release: (() => void) | undefined
    try {
      const inputs = await this.#decode(bytes, policy === 'none' ? views.slice(0, 1) : views, signal)
      watch.lap('decode')
      release = await ticket.slot(signal)
      watch.lap('queue')
      let seconds = 0
      const said: ViewAnswer[] = []
      const merged = await inferViews(
        { policy, of: views.length, fast },
        {
          batch: this.pool.batch,
          spare: () => scheduler.spare(),
          signal,
          run: async (indices) => {
            const result = await this.pool.run(indices.map((index) => inputs[index]!))
            seconds += result.seconds
            for (const _ of indices)
              this.#options.instruments.viewSeconds.observe({ model: name }, result.seconds / indices.length)
            if (question.details)
              indices.forEach((index, row) => (said[index] = this.#viewAnswer(views[index]!, result.logits[row]!)))
            return result.logits
          },
        },
      )
      scheduler.measured(seconds)
      watch.lap('infer')
      const { used, of } = merged
      const content = answer(merged.probabilities, used, this.manifest, topK)
      watch.lap('merge')
      this.#options.instruments.viewsUsed.observe({ policy }, used)
      const { decode, queue, infer } = watch.milliseconds
      const details = { views: said.slice(0, used), coverage: calibration.conformal?.coverage ?? null }
      return {
        model: { name, version },
        ...content,
        views: { used, of, policy },
        ...(question.details ? { details } : {}),
        timings: { decode, queue, infer },
      }
    } finally {
      ticket.leave()
      release?.()
    }
  }

  /** Seconds that an image is expected to cost, before any was measured. */
  get expectedSeconds(): number {
    const { views, viewPolicy, calibration } = this.manifest
    return this.pool.viewSeconds * earliestStop(viewPolicy, views.length, calibration.fastLead)
  }

  /** Stops the workers. */
  async close(): Promise<void> {
    await this.pool.close()
  }

  /** Stops the workers when all that was asked is answered. */
  async retire(): Promise<void> {
    if (this.#asked > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    await this.close()
  }

  async #count<T>(work: () => Promise<T>): Promise<T> {
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

  #canvases(bytes: Uint8Array, scales: readonly number[], signal: AbortSignal): Promise<Canvas[]> {
    const { preprocessor, megapixels } = this.#options
    return preprocessor.decodeViews(bytes, this.manifest.preprocessing, scales, { limits: { megapixels }, signal })
  }

  async #decode(bytes: Uint8Array, views: readonly View[], signal: AbortSignal): Promise<ViewInput[]> {
    const scales = scalesOf(views)
    const shared = (await this.#canvases(bytes, scales, signal)).map(({ pixels }) => shareBytes(pixels))
    return views.map(({ flip, scale }) => ({ flip, pixels: shared[scales.indexOf(scale)]! }))
  }
}

/** A copy that worker threads can read. */
function shareBytes(bytes: Uint8Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes.length)
  new Uint8Array(buffer).set(bytes)
  return buffer
}

/** Times the stages of an image, each from the end of the one before. */
class Stopwatch {
  readonly milliseconds: Record<Stage, number> = { receive: 0, decode: 0, queue: 0, infer: 0, merge: 0 }
  readonly #instruments: Instruments
  #last = performance.now()

  constructor(instruments: Instruments) {
    this.#instruments = instruments
  }

  lap(stage: Stage): void {
    const now = performance.now()
    this.milliseconds[stage] = now - this.#last
    this.#instruments.stageSeconds.observe({ stage }, this.milliseconds[stage] / 1000)
    this.#last = now
  }
}
