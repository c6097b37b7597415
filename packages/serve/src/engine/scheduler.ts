import { FlowersError } from '@flowers/shared/errors'
import { retryLater } from '../service-error.ts'
import { chooseOffer, forecast, ForecastErrors } from './forecast.ts'
import type { Offer, Situation } from './forecast.ts'
import type { RunResult } from './pool.ts'
import type { ClassMaps, ViewInput } from './protocol.ts'

/** Workers of one model, as the scheduler sees them. */
export interface Runner {
  /** Workers that are warm and have nothing to do. */
  readonly free: number
  /** Threads of a worker. */
  readonly threads: number
  /** The most views of a run. */
  readonly batch: number
  run(views: readonly ViewInput[]): Promise<RunResult>
}

/** What came of one view. */
export interface ViewOutcome {
  readonly logits: Float32Array
  /** Null when no view of the run asked for them. */
  readonly maps: ClassMaps | null
  /** `performance.now()` when its run began. */
  readonly started: number
  /** Seconds of its run, in the worker. */
  readonly seconds: number
  /** Of those, seconds until the pixels were normalised. */
  readonly prepareSeconds: number
  /** Views of the run. */
  readonly batch: number
}

/** The place of one image, from its admission until it leaves. */
export interface Ticket {
  /**
   * Runs views on the workers of `runner`, side by side where workers are idle. The image leaves the queue when the
   * first begins. Each rejects with the reason of `signal` when that is aborted before the view begins, else as the
   * run does.
   */
  run(runner: Runner, views: readonly ViewInput[], signal: AbortSignal): Promise<ViewOutcome>[]
  /**
   * Ends the image and drops its views that wait; calling it again does nothing. `answered`: its time counts for
   * later forecasts, as that of one that is late does.
   */
  leave(answered?: boolean): void
}

/** Images that want in together. */
export interface Admission {
  readonly images: number
  /** What each may be answered with, best first. */
  readonly offers: readonly Offer[]
  /** Seconds until an image is decoded. */
  readonly decode: number
  /** Seconds until the deadline. */
  readonly seconds: number
  /** Nothing is known about the cost any more: an image that waits for nobody is let in, to learn it. */
  readonly stale: boolean
}

interface Job {
  readonly ticket: State
  readonly runner: Runner
  readonly view: ViewInput
  readonly signal: AbortSignal
  readonly resolve: (outcome: ViewOutcome) => void
  readonly reject: (error: Error) => void
  /** Its run failed with those of other images: it is tried without them. */
  alone: boolean
}

interface State {
  readonly order: number
  /** Seconds of `performance.now()`. */
  readonly admitted: number
  queued: boolean
  left: boolean
  /** Seconds of one thread that are still expected. */
  work: number
}

/** Share of the time to the deadline that what waits keeps free: the longer the wait, the more may come between. */
const reserve = 0.1

/**
 * Admission and order. Views wait in one queue, those of the oldest image first; a worker that becomes free takes as
 * many of them as make a good run, of whatever images. So no worker idles while a view waits, and an image that came
 * first is done first. Runs share `threads` threads, whatever their models.
 */
export class Scheduler {
  /** Threads that runs share. */
  threads: number
  readonly #limit: number
  readonly #jobs: Job[] = []
  readonly #tickets = new Set<State>()
  readonly #errors = new ForecastErrors()
  #order = 0
  #busyThreads = 0
  #runs = 0

  /** `limit`: images that may wait. */
  constructor(options: { threads: number; limit: number }) {
    this.threads = options.threads
    this.#limit = options.limit
  }

  /** Images that are admitted and of which no view was begun: being decoded, or waiting. */
  get depth(): number {
    return [...this.#tickets].filter((ticket) => ticket.queued).length
  }

  /** Seconds since the oldest of them was admitted; 0 when there is none. */
  get age(): number {
    const waiting = [...this.#tickets].find((ticket) => ticket.queued)
    return waiting ? performance.now() / 1000 - waiting.admitted : 0
  }

  /** Runs that are under way: workers that are busy. */
  get busy(): number {
    return this.#runs
  }

  /** Seconds of one thread that all admitted images still need, as expected. */
  get backlog(): number {
    return [...this.#tickets].reduce((sum, ticket) => sum + ticket.work, 0)
  }

  /** Throws SERVICE_OVERLOADED with Retry-After when `images` more would exceed the limit. */
  assertRoom(images: number): void {
    const waiting = this.depth
    if (waiting + images <= this.#limit) return
    const detail = `${waiting} images are waiting; ${images} more would exceed the limit of ${this.#limit}.`
    throw retryLater('SERVICE_OVERLOADED', detail, this.backlog / this.threads)
  }

  /**
   * Admits all images or none, with the best offer that is ready before the deadline.
   * Throws SERVICE_OVERLOADED as {@link assertRoom} does, and when none would be ready.
   */
  admit(admission: Admission): { readonly tickets: Ticket[]; readonly offer: Offer } {
    const { images, offers, decode, seconds } = admission
    this.assertRoom(images)
    const now = performance.now() / 1000
    const backlog = this.backlog
    const situation: Situation = {
      backlog,
      threads: this.threads,
      decode,
      // What waits for nobody keeps nobody waiting: it may try. Errors alone refuse nobody who has time enough.
      margin: backlog > 0 ? Math.min(Math.max(this.#errors.margin(now), seconds * reserve), seconds / 2) : 0,
    }
    const isProbe = admission.stale && this.#tickets.size === 0 && images === 1
    const fill = this.depth / this.#limit
    const offer = isProbe ? offers[0] : chooseOffer(offers, images, { ...situation, fill, seconds })
    if (!offer) {
      const least = forecast(offers.at(-1)!, images, situation)
      const detail = `The answer would be ready in ${milliseconds(least)}, ${milliseconds(seconds)} are left.`
      throw retryLater('SERVICE_OVERLOADED', detail, least - seconds)
    }
    const tickets = Array.from({ length: images }, (_, index) => {
      const expected = forecast(offer, index + 1, { ...situation, margin: 0 })
      return this.#ticket(offer, { admitted: now, expected, seconds })
    })
    return { tickets, offer }
  }

  /** Runs that this runner could begin now and that nobody waits for. */
  spare(runner: Runner): number {
    return this.#jobs.length === 0 ? this.#lanes(runner) : 0
  }

  /** Starts what can be started: call it when a worker has become warm. */
  dispatch(): void {
    for (;;) {
      const first = this.#jobs.find(({ runner }) => runner.free > 0 && this.#lanes(runner) > 0)
      if (!first) return
      this.#start(first.runner, this.#takeFor(first))
    }
  }

  /** Runs of this runner that may be begun now. */
  #lanes({ free, threads }: Runner): number {
    const most = Math.floor((this.threads - this.#busyThreads) / threads)
    // A worker with more threads than all may use runs when nothing else does.
    return Math.min(free, this.#busyThreads === 0 ? Math.max(1, most) : most)
  }

  /** The views that share a run with `first`: no more than leaves every idle worker its part. */
  #takeFor(first: Job): Job[] {
    const { runner } = first
    const waiting = this.#jobs.filter((job) => job.runner === runner && !job.alone)
    const size = Math.min(runner.batch, Math.ceil(waiting.length / this.#lanes(runner)))
    const taken = first.alone ? [first] : waiting.slice(0, size)
    for (const job of taken) this.#jobs.splice(this.#jobs.indexOf(job), 1)
    return taken
  }

  #start(runner: Runner, jobs: readonly Job[]): void {
    for (const { ticket } of jobs) ticket.queued = false
    this.#busyThreads += runner.threads
    this.#runs++
    const started = performance.now()
    void runner
      .run(jobs.map(({ view }) => view))
      .then(
        ({ logits, maps, seconds, prepareSeconds }) => {
          for (const [index, job] of jobs.entries()) {
            job.ticket.work = Math.max(0, job.ticket.work - (seconds * runner.threads) / jobs.length)
            const outcome = { logits: logits[index]!, maps: maps?.[index] ?? null, started, seconds, prepareSeconds }
            job.resolve({ ...outcome, batch: jobs.length })
          }
        },
        (error: Error) => this.#failed(jobs, error),
      )
      .finally(() => {
        this.#busyThreads -= runner.threads
        this.#runs--
        // Later, so that the images of this run come first with the views that they still need.
        setImmediate(() => this.dispatch())
      })
  }

  /** An image that breaks a worker takes no other with it. */
  #failed(jobs: readonly Job[], error: Error): void {
    const isShared = new Set(jobs.map(({ ticket }) => ticket)).size > 1
    for (const job of jobs) {
      if (isShared && !job.ticket.left && !job.signal.aborted) this.#enqueue(Object.assign(job, { alone: true }))
      else job.reject(error)
    }
  }

  /** Behind the views of the same image and of older ones. */
  #enqueue(job: Job): void {
    const behind = this.#jobs.findLastIndex(({ ticket }) => ticket.order <= job.ticket.order)
    this.#jobs.splice(behind + 1, 0, job)
  }

  #ticket(
    offer: Offer,
    { admitted, expected, seconds }: { admitted: number; expected: number; seconds: number },
  ): Ticket {
    const ticket: State = { order: this.#order++, admitted, queued: true, left: false, work: offer.work }
    this.#tickets.add(ticket)
    return {
      leave: (answered = false) => {
        if (ticket.left) return
        ticket.left = true
        this.#tickets.delete(ticket)
        for (const job of this.#jobs.filter((each) => each.ticket === ticket)) {
          this.#jobs.splice(this.#jobs.indexOf(job), 1)
          job.reject(new Error('The view is not needed any more.'))
        }
        const now = performance.now() / 1000
        // What is given up as late took longer yet: errors of answers alone would make forecasts look better.
        if (answered || now - admitted >= seconds) this.#errors.observe(expected, now - admitted, now)
      },
      run: (runner, views, signal) => this.#run(ticket, runner, views, signal),
    }
  }

  #run(ticket: State, runner: Runner, views: readonly ViewInput[], signal: AbortSignal): Promise<ViewOutcome>[] {
    if (ticket.left) throw new FlowersError('INTERNAL', 'The image has left the queue.')
    const jobs: Job[] = []
    const drop = (): void => {
      for (const job of jobs) {
        const place = this.#jobs.indexOf(job)
        if (place < 0) continue
        this.#jobs.splice(place, 1)
        job.reject(signal.reason as Error)
      }
    }
    const outcomes = views.map(
      (view) =>
        new Promise<ViewOutcome>((resolve, reject) => {
          if (signal.aborted) return reject(signal.reason as Error)
          const job: Job = { ticket, runner, view, signal, resolve, reject, alone: false }
          jobs.push(job)
          this.#enqueue(job)
        }),
    )
    signal.addEventListener('abort', drop, { once: true })
    void Promise.allSettled(outcomes).then(() => signal.removeEventListener('abort', drop))
    this.dispatch()
    return outcomes
  }
}

function milliseconds(seconds: number): string {
  return `${Math.max(0, Math.round(seconds * 1000))} ms`
}
