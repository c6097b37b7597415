import { average } from './cost.ts'
import type { ViewPolicy } from '@flowers/shared/model/views'

/** A way to answer an image, and what it is expected to cost. Seconds. */
export interface ServiceLevel {
  readonly policy: ViewPolicy
  /** Time of one thread, over all its views. */
  readonly work: number
  /** From its first view to its last, when nothing else is running. */
  readonly latency: number
}

/** What an image meets that is admitted now. Seconds. */
export interface QueueState {
  /** Time of one thread for all that comes before it. */
  readonly before: number
  /** Threads that share that. */
  readonly threads: number
  /** Until it is decoded. */
  readonly decode: number
  /** What a forecast is to be taken longer by, for its errors so far. */
  readonly margin: number
}

/** Seconds until the last of `images` images is answered that are admitted together: it waits for those before it. */
export function forecast(level: ServiceLevel, images: number, { before, threads, decode, margin }: QueueState): number {
  const wait = (before + (images - 1) * level.work) / threads
  return Math.max(wait, decode) + level.latency + margin
}

/** How near what is asked comes to what can be answered. */
export interface Load {
  /** The share of the queue that is taken. */
  readonly fill: number
  /** Seconds until all that was admitted is done. */
  readonly wait: number
  /** Threads that share it. */
  readonly threads: number
  /** Whether someone was refused lately. */
  readonly isRefusing: boolean
}

/** Up to this share of the queue everyone gets what he asks for. */
const calmShare = 0.5

/**
 * So many seconds may wait, or so many images like the one that comes, before views are given up. Where long deadlines
 * alone decided, those who have them would fill the time with views that later ones, who are in a hurry, need for an
 * answer at all.
 */
const calmSeconds = 1
const calmImages = 3

/**
 * The first of `levels`, best first, that fits and that the load leaves room for, or null: quality is given up before
 * requests. The last is always open, the others while little waits and nobody is refused; and beyond half of the queue
 * each has its share of the rest: with three levels the first until two thirds, the second until five sixths.
 */
export function chooseLevel(
  levels: readonly ServiceLevel[],
  fits: (level: ServiceLevel) => boolean,
  { fill, wait, threads, isRefusing }: Load,
): ServiceLevel | null {
  const isOpen = ({ work }: ServiceLevel, index: number): boolean =>
    index === levels.length - 1 ||
    (!isRefusing &&
      fill <= calmShare + ((1 - calmShare) * (index + 1)) / levels.length &&
      wait <= Math.max(calmSeconds, (calmImages * work) / threads))
  return levels.find((level, index) => isOpen(level, index) && fits(level)) ?? null
}

/** Weights of the newest error, and how many mean deviations are kept clear of: those of TCP's timer (Jacobson 1988). */
const errorWeight = 0.125
const deviationWeight = 0.25
const deviations = 4

/** Errors of forecasts older than this many seconds say nothing about the next one. */
const memorySeconds = 10

/** By how much answers came later than forecast. */
export class ForecastErrors {
  #mean = 0
  #deviation = 0
  #last = -Infinity

  /** Tells that an image was forecast for `forecast` and answered after `actual` seconds; `now` in seconds. */
  observe(forecastSeconds: number, actual: number, now: number): void {
    const error = actual - forecastSeconds
    if (now - this.#last > memorySeconds) {
      this.#mean = error
      this.#deviation = Math.abs(error) / 2
    } else {
      this.#deviation = average(this.#deviation, Math.abs(error - this.#mean), deviationWeight)
      this.#mean = average(this.#mean, error, errorWeight)
    }
    this.#last = now
  }

  /** Seconds to add to a forecast so that it holds almost always; 0 when nothing was observed lately. */
  margin(now: number): number {
    return now - this.#last > memorySeconds ? 0 : Math.max(0, this.#mean + deviations * this.#deviation)
  }
}
