import type { Manifest } from '@flowers/shared/model/manifest'
import type { ViewPolicy } from '@flowers/shared/model/views'
import type { Stopwatch } from '../observe/stopwatch.ts'
import { allowedPolicies, serviceLevel, UsualNeeds } from './admission.ts'
import { Answering, type AdmittedImage, type AnsweringOptions } from './answering.ts'
import type { Classification, Explanation } from './answers.ts'
import type { LoadedModel } from './load-model.ts'
import type { Pool } from './pool.ts'
import type { ServiceLevel } from './scheduler/forecast.ts'
import type { Ticket, Workers } from './scheduler/scheduler.ts'

/** What every image of a request is asked with. */
export interface RequestContext {
  /** Seconds until the deadline. */
  readonly seconds: number
  /** Aborted when nobody waits for the answer any more: nothing is started after that. */
  readonly signal: AbortSignal
  /** Begins the times of an image that was admitted, from here on decode. */
  readonly watch: () => Stopwatch
}

/** How images are to be classified. */
export interface Question {
  readonly policy: ViewPolicy
  /** Whether a cheaper policy may be followed instead, when the service has much to do. */
  readonly mayStepDown: boolean
  readonly topK: number
  /** Also tell what each view said. */
  readonly details?: boolean
}

/** Of rows of pixels, in their order. */
export interface RowOutputs {
  /** Each a value for every class. */
  readonly logits: Float32Array[]
  /** Output `known` of the network; null: the model refuses nothing by it. */
  readonly known: number[] | null
}

export interface ClassifierOptions extends AnsweringOptions {
  /** Milliseconds of the scheduler's clock. */
  readonly now: () => number
}

/** One model that answers: what was loaded, and the rules of its answers. */
export class Classifier {
  readonly manifest: Manifest
  readonly plan: LoadedModel['plan']
  readonly pool: Pool
  readonly batch: LoadedModel['batch']
  readonly cost: LoadedModel['cost']
  readonly #options: ClassifierOptions
  readonly #workers: Workers
  readonly #usual: UsualNeeds
  readonly #answering: Answering
  #asked = 0
  #idle: (() => void) | null = null

  constructor(model: LoadedModel, options: ClassifierOptions) {
    this.manifest = model.manifest
    this.plan = model.plan
    this.pool = model.pool
    this.batch = model.batch
    this.cost = model.cost
    this.#options = options
    this.#workers = workersOf(model, options)
    this.#usual = new UsualNeeds(model.manifest)
    this.#answering = new Answering(model, this.#workers, this.#usual, options)
  }

  /**
   * Classifies images, each by as many views as the policy asks for. All are admitted or none, with the best policy that
   * is in time. Throws SERVICE_OVERLOADED, SERVICE_DEADLINE_SHORT, SERVICE_TOO_LARGE or SERVICE_NOT_READY. Each answer
   * rejects with the IMAGE_ errors of `decodeViews`, the reason of the signal, SERVICE_WORKER_LOST, SERVICE_NOT_READY or
   * MODEL_OUTPUT.
   */
  classify(
    images: readonly Uint8Array[],
    { policy, mayStepDown, topK, details = false }: Question,
    context: RequestContext,
  ): Promise<Classification>[] {
    const policies = allowedPolicies(this.manifest, policy, mayStepDown)
    const levels = policies.map((each) => this.#level(each, this.#usual.views(each)))
    const { tickets, level } = this.#admit(images.length, levels, context)
    if (level.policy !== policies[0]) {
      this.#options.instruments.steppedDown.inc({ to: level.policy }, images.length)
    }
    return images.map((image, index) => {
      const admitted = imageOf(image, tickets[index]!, context)
      return this.#holding(admitted, () => this.#answering.classify(admitted, { policy: level.policy, topK, details }))
    })
  }

  /**
   * What the network says of `rows`, each 3 x S x S normalised values in shared memory: one view each, as it is. They are
   * admitted together, as the views of a picture are. Rejects as {@link classify} does.
   */
  async infer(rows: readonly Float32Array[], { seconds, signal }: Omit<RequestContext, 'watch'>): Promise<RowOutputs> {
    const ticket = this.#admit(1, [this.#level('full', rows.length)], { seconds }).tickets[0]!
    const known = !!this.manifest.calibration.known
    const views = rows.map((values) => ({ values, known }))
    const run = async () => Promise.all(ticket.run(this.#workers, views, signal))
    // Its time teaches nothing: forecasts are of images that are decoded first.
    const outcomes = await this.#holding({ ticket }, run, { counts: false })
    return {
      logits: outcomes.map((outcome) => outcome.logits),
      known: known ? outcomes.map((outcome) => outcome.known!) : null,
    }
  }

  /**
   * Where the model looked for the classes with these labels, or for its best class where there are none: class
   * activation maps (Zhou et al. 2016, arXiv:1512.04150) of the plain view, which are exact, as only pooling and a linear
   * layer follow. Rejects with MODEL_WITHOUT_MAPS, SERVICE_PARAMETER for a label that the model does not have, and as
   * {@link classify} does.
   */
  async explain(bytes: Uint8Array, labels: readonly string[], context: RequestContext): Promise<Explanation> {
    const ticket = this.#admit(1, [this.#level('none', this.#usual.views('none'))], context).tickets[0]!
    const admitted = imageOf(bytes, ticket, context)
    return this.#holding(admitted, () => this.#answering.explain(admitted, labels))
  }

  /** Stops the workers. */
  async close(): Promise<void> {
    await this.pool.close()
  }

  /** Stops the workers when all that was asked is answered. */
  async retire(): Promise<void> {
    // A request that was given this model in this turn of the event loop may ask it yet.
    await new Promise(setImmediate)
    if (this.#asked > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    await this.close()
  }

  #admit(images: number, levels: readonly ServiceLevel[], { seconds }: Pick<RequestContext, 'seconds'>) {
    const { scheduler, now } = this.#options
    this.pool.assertRunnable()
    const decode = this.#usual.decodeSeconds * this.#answering.decodeTurns
    return scheduler.admit({ images, levels, decode, seconds, stale: this.cost.isStale(now() / 1000) })
  }

  #level(policy: ViewPolicy, views: number): ServiceLevel {
    return serviceLevel({ cost: this.cost, plan: this.plan, batch: this.batch.views }, policy, views)
  }

  /** Does what a ticket was given for, and ends the ticket. `counts`: its time counts for later forecasts. */
  async #holding<T>(
    { ticket }: { readonly ticket: Ticket },
    work: () => Promise<T>,
    { counts = true } = {},
  ): Promise<T> {
    this.#asked++
    let answered = false
    try {
      const result = await work()
      answered = counts
      return result
    } finally {
      ticket.leave(answered)
      if (--this.#asked === 0) this.#idle?.()
    }
  }
}

function imageOf(bytes: Uint8Array, ticket: Ticket, { signal, watch }: RequestContext): AdmittedImage {
  return { bytes, ticket, signal, watch: watch() }
}

/** The workers of a model for the scheduler: they count what they run, and tell its cost. */
function workersOf({ manifest, plan, pool, batch, cost }: LoadedModel, options: ClassifierOptions): Workers {
  const { instruments, now } = options
  const labels = { model: manifest.name }
  return {
    get free() {
      // What waits for a pool that cannot run it is let go to be refused by it.
      return pool.retrySeconds === null ? pool.free : plan.workers
    },
    threads: plan.threads,
    batch: batch.views,
    seconds: (views) => cost.seconds(views),
    run: async (views) => {
      const result = await pool.run(views)
      cost.measured(views.length, result.seconds, now() / 1000)
      for (const _ of views) instruments.viewSeconds.observe(labels, result.seconds / views.length)
      instruments.runViews.observe(labels, views.length)
      return result
    },
  }
}
