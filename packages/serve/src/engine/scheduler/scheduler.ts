import { SharedError } from '@flowers/shared/errors'
import { retryLater, ServiceError } from '../../errors.ts'
import { staleSeconds } from './cost.ts'
import { chooseLevel, forecast, ForecastErrors, type ServiceLevel, type QueueState } from './forecast.ts'
import type { RunResult } from '../pool.ts'
import type { ClassMaps, ViewInput } from '../messages.ts'
import { Timetable } from './timetable.ts'

/** What runs the views of one model for the scheduler. */
export interface Workers {
  /** Workers that are warm and have nothing to do. */
  readonly free: number
  /** Threads of a worker. */
  readonly threads: number
  /** The most views of a run. */
  readonly batch: number
  /** Seconds that a run of `views` views is expected to take. */
  seconds(views: number): number
  run(views: readonly ViewInput[]): Promise<RunResult>
}

/** What came of one view. */
export interface ViewOutcome {
  readonly logits: Float32Array
  /** Null when no view of the run asked for them. */
  readonly maps: ClassMaps | null
  /** Output `known` of the view; null when no view of the run asked for it. */
  readonly known: number | null
  /** Milliseconds of the scheduler's clock when its run began. */
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
   * Runs views on `workers`, side by side where some are idle. The image leaves the queue when the
   * first begins. Each rejects with the reason of `signal` when that is aborted before the view begins, else as the
   * run does.
   */
  run(workers: Workers, views: readonly ViewInput[], signal: AbortSignal): Promise<ViewOutcome>[]
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
  readonly levels: readonly ServiceLevel[]
  /** Seconds until an image is decoded. */
  readonly decode: number
  /** Seconds until the deadline. */
  readonly seconds: number
  /** Nothing is known about the cost any more: an image that waits for nobody is let in, to learn it. */
  readonly stale: boolean
}

interface Job {
  readonly ticket: State
  readonly workers: Workers
  readonly view: ViewInput
  readonly signal: AbortSignal
  readonly resolve: (outcome: ViewOutcome) => void
  readonly reject: (error: Error) => void
  /** Its run failed with those of other images: it is tried without them. */
  alone: boolean
}

/** Times are seconds of the scheduler's clock. */
interface State {
  readonly order: number
  readonly admitted: number
  readonly deadline: number
  readonly decoded: number
  readonly level: ServiceLevel
  queued: boolean
  left: boolean
  /** Seconds of one thread that are still expected. */
  work: number
  /** Seconds from its admission until its answer, as expected. */
  expected: number
}

interface Run {
  readonly threads: number
  readonly jobs: readonly Job[]
  /** When it is expected to end, in seconds of the scheduler's clock. */
  readonly end: number
}

/** Share of the time to the deadline that what waits keeps free: the longer the wait, the more may come between. */
const reserve = 0.15

/** So many seconds after something was refused for want of time or places, the cheapest levels are taken. */
const refusalSeconds = 5

/**
 * Admission and order. Views wait in one queue, those of the image that is due first before others; a worker that
 * becomes free takes as many of them as make a good run, of whatever images. So no worker idles while a view waits that
 * it could run, and a short deadline is no reason to be refused. Runs share `threads` threads, whatever their models.
 */
export class Scheduler {
  /** Threads that runs share. */
  threads: number
  readonly #limit: number
  readonly #jobs: Job[] = []
  readonly #tickets = new Set<State>()
  readonly #errors: ForecastErrors
  readonly #now: () => number
  readonly #runs = new Set<Run>()
  #order = 0
  #refused = -Infinity

  /** `limit`: images that may wait. `now`: milliseconds, of `performance.now()` unless said. */
  constructor(options: { threads: number; limit: number; now?: () => number; errors?: ForecastErrors | undefined }) {
    this.threads = options.threads
    this.#limit = options.limit
    this.#now = options.now ?? (() => performance.now())
    this.#errors = options.errors ?? new ForecastErrors()
  }

  /** Images that are admitted and of which no view was begun: being decoded, or waiting. */
  get depth(): number {
    return [...this.#tickets].filter((ticket) => ticket.queued).length
  }

  /** Seconds since the oldest of them was admitted; 0 when there is none. */
  get age(): number {
    const waiting = [...this.#tickets].find((ticket) => ticket.queued)
    return waiting ? this.#seconds() - waiting.admitted : 0
  }

  /** Runs that are under way: workers that are busy. */
  get busy(): number {
    return this.#runs.size
  }

  #seconds(): number {
    return this.#now() / 1000
  }

  get #busyThreads(): number {
    return [...this.#runs].reduce((sum, { threads }) => sum + threads, 0)
  }

  /** Seconds of one thread that all admitted images still need, as expected. */
  get backlog(): number {
    return [...this.#tickets].reduce((sum, ticket) => sum + ticket.work, 0)
  }

  /**
   * Throws SERVICE_OVERLOADED with Retry-After when `images` more would exceed the limit, and SERVICE_TOO_LARGE when
   * they would do so in an empty queue.
   */
  assertRoom(images: number): void {
    if (images > this.#limit) {
      throw new ServiceError('SERVICE_TOO_LARGE', `${images} images were sent; ${this.#limit} may wait at a time.`)
    }
    const waiting = this.depth
    if (waiting + images <= this.#limit) return
    const detail = `${waiting} images are waiting; ${images} more would exceed the limit of ${this.#limit}.`
    throw this.#overloaded(detail, this.backlog / this.threads)
  }

  /**
   * Admits all images or none, with the best level that is ready before the deadline and keeps nobody from being so that
   * was admitted before. Throws as {@link assertRoom} does, SERVICE_OVERLOADED when there is none, and
   * SERVICE_DEADLINE_SHORT when there would be none either if nobody else asked.
   */
  admit(admission: Admission): { readonly tickets: Ticket[]; readonly level: ServiceLevel } {
    const { images, levels, decode, seconds: left } = admission
    this.assertRoom(images)
    const now = this.#seconds()
    const deadline = now + left
    const timetable = this.#timetable(now)
    const margin = this.#errors.margin(now)
    const wait = this.backlog / this.threads
    const isRefusing = now - this.#refused < refusalSeconds
    const marginOf = (time: number): number => Math.min(Math.max(margin, time * reserve), time / 2)
    const queueState: QueueState = {
      before: timetable.workBy(deadline),
      threads: this.threads,
      decode,
      // An image in an empty queue delays no other: past errors alone do not refuse it.
      margin: wait > 0 ? marginOf(left) : 0,
    }
    const slack = timetable.slackBefore(deadline, marginOf)
    const isProbe = admission.stale && this.#tickets.size === 0 && images === 1
    const fits = (level: ServiceLevel): boolean =>
      forecast(level, images, queueState) <= left && images * level.work <= slack.work
    const level = isProbe
      ? levels[0]
      : chooseLevel(levels, fits, { fill: this.depth / this.#limit, wait, threads: this.threads, isRefusing })
    if (!level) throw this.#refusal(admission, queueState, slack.until)
    this.#overtake(deadline, images * level.work)
    const tickets = Array.from({ length: images }, (_, index) => {
      const expected = forecast(level, index + 1, { ...queueState, margin: 0 })
      return this.#ticket({ level, admitted: now, deadline, decoded: now + decode, expected })
    })
    return { tickets, level }
  }

  #timetable(now: number): Timetable {
    const images = [...this.#tickets].map(({ deadline, decoded, work, level }) => ({
      deadline,
      decoded,
      work,
      latency: level.work > 0 ? (level.latency * work) / level.work : 0,
    }))
    const running = [...this.#runs].map(({ jobs, end, threads }) => ({
      // The work of an image that left is no longer counted with it.
      deadline: Math.max(...jobs.map(({ ticket }) => (ticket.left ? Infinity : ticket.deadline))),
      work: Math.max(0, end - now) * threads,
    }))
    return new Timetable({ images, running, threads: this.threads, now })
  }

  /** Adds work that comes before to the forecasts of images that wait and are due later. */
  #overtake(deadline: number, work: number): void {
    for (const ticket of this.#tickets) {
      const isOvertaken =
        ticket.deadline > deadline && (ticket.queued || this.#jobs.some((job) => job.ticket === ticket))
      if (isOvertaken) ticket.expected += work / this.threads
    }
  }

  /** Why the cheapest level is not taken, and when it would be. `free`: seconds until nobody is in its way. */
  #refusal({ images, levels, seconds: left }: Admission, queueState: QueueState, free: number): ServiceError {
    const level = levels.at(-1)!
    const alone = forecast(level, images, { ...queueState, before: 0, decode: 0, margin: 0 })
    const least = forecast(level, images, queueState)
    if (alone > left || this.#tickets.size === 0) {
      const takes = Math.max(alone, this.#tickets.size === 0 ? least : 0)
      const detail = `The answer takes ${milliseconds(takes)} when nobody else asks, ${milliseconds(left)} are left.`
      // After that time without a measurement an image is let in, to measure again.
      return retryLater('SERVICE_DEADLINE_SHORT', detail, staleSeconds)
    }
    if (least > left) {
      const detail = `The answer would be ready in ${milliseconds(least)}, ${milliseconds(left)} are left.`
      return this.#overloaded(detail, least - left)
    }
    const detail = `It would make an image late that was admitted before and is answered in ${milliseconds(free)}.`
    return this.#overloaded(detail, free)
  }

  #overloaded(detail: string, retryAfter: number): ServiceError {
    this.#refused = this.#seconds()
    return retryLater('SERVICE_OVERLOADED', detail, retryAfter)
  }

  /** Runs that could begin now and that no view waits for. */
  spare(workers: Workers): number {
    return this.#jobs.length === 0 ? this.#lanes(workers) : 0
  }

  /** Starts what can be started: call it when a worker has become warm. */
  dispatch(): void {
    for (;;) {
      const first = this.#jobs.find(({ workers }) => workers.free > 0)
      // Whose worker needs more threads than are free waits for them: those after it would always be quicker.
      if (!first || this.#lanes(first.workers) === 0) return
      this.#start(first.workers, this.#takeFor(first))
    }
  }

  /** Runs that may begin now. */
  #lanes({ free, threads }: Workers): number {
    const busy = this.#busyThreads
    const most = Math.floor((this.threads - busy) / threads)
    // A worker with more threads than all may use runs when nothing else does.
    return Math.min(free, busy === 0 ? Math.max(1, most) : most)
  }

  /** The views that share a run with `first`: no more than leaves every idle worker its part. */
  #takeFor(first: Job): Job[] {
    const { workers } = first
    const waiting = this.#jobs.filter((job) => job.workers === workers && !job.alone)
    const size = Math.min(workers.batch, Math.ceil(waiting.length / this.#lanes(workers)))
    const taken = first.alone ? [first] : waiting.slice(0, size)
    for (const job of taken) this.#jobs.splice(this.#jobs.indexOf(job), 1)
    return taken
  }

  #start(workers: Workers, jobs: readonly Job[]): void {
    for (const { ticket } of jobs) ticket.queued = false
    const started = this.#now()
    const run: Run = { threads: workers.threads, jobs, end: started / 1000 + workers.seconds(jobs.length) }
    this.#runs.add(run)
    void workers
      .run(jobs.map(({ view }) => view))
      .then(
        ({ logits, maps, known, seconds, prepareSeconds }) => {
          for (const [index, job] of jobs.entries()) {
            job.ticket.work = Math.max(0, job.ticket.work - (seconds * workers.threads) / jobs.length)
            const said = { logits: logits[index]!, maps: maps?.[index] ?? null, known: known?.[index] ?? null }
            job.resolve({ ...said, started, seconds, prepareSeconds, batch: jobs.length })
          }
        },
        (error: Error) => this.#failed(jobs, error),
      )
      .finally(() => {
        this.#runs.delete(run)
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

  /** Behind the views of the same image, of those that are due before, and of older ones that are due with it. */
  #enqueue(job: Job): void {
    const { deadline, order } = job.ticket
    const behind = this.#jobs.findLastIndex(
      ({ ticket }) => ticket.deadline < deadline || (ticket.deadline === deadline && ticket.order <= order),
    )
    this.#jobs.splice(behind + 1, 0, job)
  }

  #ticket(from: Pick<State, 'level' | 'admitted' | 'deadline' | 'decoded' | 'expected'>): Ticket {
    const ticket: State = { ...from, order: this.#order++, queued: true, left: false, work: from.level.work }
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
        const now = this.#seconds()
        // What is given up as late took longer yet: errors of answers alone would make forecasts look better.
        if (answered || now >= ticket.deadline) this.#errors.observe(ticket.expected, now - ticket.admitted, now)
      },
      run: (workers, views, signal) => this.#run(ticket, workers, views, signal),
    }
  }

  #run(ticket: State, workers: Workers, views: readonly ViewInput[], signal: AbortSignal): Promise<ViewOutcome>[] {
    if (ticket.left) throw new SharedError('INTERNAL', 'The image has left the queue.')
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
          const job: Job = { ticket, workers, view, signal, resolve, reject, alone: false }
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

function milliseconds(time: number): string {
  return `${Math.max(0, Math.round(time * 1000))} ms`
}
