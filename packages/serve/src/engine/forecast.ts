import { average } from './cost.ts'
import type { ViewPolicy } from '@flowers/shared/views'

/** A way to answer an image, and what it is expected to cost. Seconds. */
export interface Offer {
  readonly policy: ViewPolicy
  /** Time of one thread, over all its views. */
  readonly work: number
  /** From its first view to its last, when nothing else is running. */
  readonly latency: number
}

/** What an image meets that is admitted now. Seconds. */
export interface Situation {
  /** Time of one thread for all that was admitted before. */
  readonly backlog: number
  /** Threads that share the backlog. */
  readonly threads: number
  /** Until it is decoded. */
  readonly decode: number
  /** What a forecast is to be taken longer by, for its errors so far. */
  readonly margin: number
}

/** Seconds until the last of `images` images is answered that are admitted together: it waits for those before it. */
export function forecast(offer: Offer, images: number, { backlog, threads, decode, margin }: Situation): number {
  const before = (backlog + (images - 1) * offer.work) / threads
  return Math.max(before, decode) + offer.latency + margin
}

/** Up to this share of the queue everyone gets what he asks for. */
const calmShare = 0.5

/**
 * The first of `offers`, best first, that is ready in `seconds` and that the queue leaves room for, or null. Beyond
 * half of the queue each offer has its share of the rest, so that quality is given up before requests: with three
 * offers the first until two thirds, the second until five sixths. `fill` is the share of the queue that is taken.
 */
export function chooseOffer(
  offers: readonly Offer[],
  images: number,
  situation: Situation & { readonly fill: number; readonly seconds: number },
): Offer | null {
  const most = (index: number): number => calmShare + ((1 - calmShare) * (index + 1)) / offers.length
  return (
    offers.find(
      (offer, index) =>
        (index === offers.length - 1 || situation.fill <= most(index)) &&
        forecast(offer, images, situation) <= situation.seconds,
    ) ?? null
  )
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
