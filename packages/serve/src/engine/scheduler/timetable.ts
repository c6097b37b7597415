/** An image that was admitted, as far as others depend on it. Seconds; times of one clock. */
export interface Planned {
  /** When its answer is due. */
  readonly deadline: number
  /** Time of one thread that its views are still expected to take. */
  readonly work: number
  /** From its next view to its last, when nothing else is running. */
  readonly latency: number
  /** When it is decoded. */
  readonly decoded: number
}

/** What threads do now, and cannot be taken from. Seconds. */
export interface Running {
  /** The latest deadline among the images of the run. */
  readonly deadline: number
  /** Time of one thread until it is expected to end. */
  readonly work: number
}

/** What an image may take from those that are due after it. Seconds. */
export interface Slack {
  /** Time of one thread; Infinity when nothing is due later. */
  readonly work: number
  /** Until the image is answered that allows no more. */
  readonly until: number
}

/**
 * The work of the images that were admitted, in the order of their deadlines. Earliest deadline first meets all
 * deadlines if any order does (Jackson 1955; Liu and Layland 1973), so who comes must be in time behind those that are
 * due before, and leave those in time that are due after.
 */
export class Timetable {
  readonly #images: readonly Planned[]
  readonly #running: readonly Running[]
  readonly #threads: number
  readonly #now: number

  constructor(plan: {
    readonly images: readonly Planned[]
    readonly running: readonly Running[]
    readonly threads: number
    readonly now: number
  }) {
    this.#images = plan.images.toSorted((a, b) => a.deadline - b.deadline)
    this.#running = plan.running
    this.#threads = plan.threads
    this.#now = plan.now
  }

  /** Seconds of one thread until all is done that is due by `deadline`, or runs already. */
  workBy(deadline: number): number {
    const due = this.#images.reduce((sum, image) => sum + (image.deadline <= deadline ? image.work : 0), 0)
    return due + this.#blockedBy(deadline)
  }

  /**
   * How much work may be done before the images that are due after `deadline`, each of which is to be in time by
   * `margin(left)`, of the seconds that it has left. One that is late whatever comes keeps nobody out.
   */
  slackBefore(deadline: number, margin: (left: number) => number): Slack {
    let slack: Slack = { work: Infinity, until: 0 }
    let work = 0
    for (const image of this.#images) {
      const before = work + this.#blockedBy(image.deadline)
      work += image.work
      if (image.deadline <= deadline) continue
      const left = image.deadline - this.#now
      const decode = Math.max(0, image.decoded - this.#now)
      if (decode + image.latency > left) continue
      const free = this.#threads * (left - margin(left) - image.latency) - before
      if (free < slack.work) slack = { work: free, until: Math.max(before / this.#threads, decode) + image.latency }
    }
    return slack
  }

  /** Of images that are due after `deadline`, the work that runs already. */
  #blockedBy(deadline: number): number {
    return this.#running.reduce((sum, run) => sum + (run.deadline > deadline ? run.work : 0), 0)
  }
}
