import { retryLater } from '../service-error.ts'

/** Gives back what was taken; calling it again does nothing. */
export type Release = () => void

/** The place of one image in the queue, from its admission until it leaves. */
export interface Ticket {
  /**
   * Waits for a worker's slot, first come, first served. The image leaves the queue when it gets one.
   * Rejects with the reason of `signal` when that is aborted first.
   */
  slot(signal: AbortSignal): Promise<Release>
  /** Leaves the queue when still in it; calling it again does nothing. */
  leave(): void
}

interface Waiter {
  grant(release: Release): void
}

/** Weight of the newest image in the average of what images cost. */
const newestWeight = 0.1

/**
 * Admission and order of images. `slots` images are inferred at a time, at most `limit` others are admitted; an image
 * keeps its slot for all its views, so the oldest is finished first.
 */
export class Scheduler {
  readonly #slots: number
  readonly #limit: number
  readonly #waiters: Waiter[] = []
  #free: number
  #queued = 0
  #secondsPerImage: number | null = null

  constructor(options: { slots: number; limit: number }) {
    this.#slots = options.slots
    this.#limit = options.limit
    this.#free = options.slots
  }

  /** Images that are admitted and have no slot yet: being decoded, or waiting. */
  get depth(): number {
    return this.#queued
  }

  /** Slots in use. */
  get busy(): number {
    return this.#slots - this.#free
  }

  /** Tells what an image cost: seconds of one worker, summed over its views. */
  measured(seconds: number): void {
    this.#secondsPerImage =
      this.#secondsPerImage === null
        ? seconds
        : this.#secondsPerImage + newestWeight * (seconds - this.#secondsPerImage)
  }

  /** Seconds until what is admitted now is done, by the measured cost; never less than 1. */
  get backlogSeconds(): number {
    const images = this.#queued + this.busy
    return Math.max(1, (images * (this.#secondsPerImage ?? 0)) / this.#slots)
  }

  /** Throws SERVICE_OVERLOADED with Retry-After when `images` more would exceed the limit. */
  assertRoom(images: number): void {
    if (this.#queued + images <= this.#limit) return
    const detail = `${this.#queued} images are waiting; ${images} more would exceed the limit of ${this.#limit}.`
    throw retryLater('SERVICE_OVERLOADED', detail, this.backlogSeconds)
  }

  /** Admits all `images` or none. Throws as {@link assertRoom} does. */
  admit(images: number): Ticket[] {
    this.assertRoom(images)
    return Array.from({ length: images }, () => this.#ticket())
  }

  /** A slot that nobody waits for, or null. */
  spare(): Release | null {
    return this.#free > 0 && this.#waiters.length === 0 ? this.#take() : null
  }

  #ticket(): Ticket {
    this.#queued++
    const leave = once(() => this.#queued--)
    return {
      leave,
      slot: async (signal) => {
        signal.throwIfAborted()
        const spare = this.spare()
        const release = spare ?? (await this.#wait(signal))
        leave()
        return release
      },
    }
  }

  #wait(signal: AbortSignal): Promise<Release> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        grant: (release) => {
          signal.removeEventListener('abort', abandon)
          resolve(release)
        },
      }
      const abandon = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', abandon, { once: true })
      this.#waiters.push(waiter)
    })
  }

  #take(): Release {
    this.#free--
    return once(() => {
      this.#free++
      if (this.#waiters.length > 0) this.#waiters.shift()!.grant(this.#take())
    })
  }
}

function once(act: () => void): Release {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}
