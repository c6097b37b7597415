import { argmax, mayStop } from '@flowers/shared/model/views'
import type { ViewPolicy } from '@flowers/shared/model/views'
import { level } from './bootstrap.ts'
import { upperBound } from './binomial.ts'
import type { Scores } from './metrics.ts'

/** Probabilities of every view of one photo, in order of the views. */
export type PhotoViews = readonly Scores[]

export interface Stopped {
  /** Mean probability over the views that were used. */
  readonly mean: Float64Array
  readonly used: number
}

/** What a policy would have answered for a photo whose views are all known. */
export function stopAt(views: PhotoViews, policy: ViewPolicy, lead: readonly number[] | null): Stopped {
  const sums = new Float64Array((views[0] as Scores).length)
  let used = 0
  do {
    const view = views[used++] as Scores
    for (let index = 0; index < sums.length; index++) sums[index] = (sums[index] as number) + (view[index] as number)
  } while (!mayStop(policy, sums, used, views.length, lead && { lead }))
  return { mean: sums.map((sum) => sum / used), used }
}

/**
 * Margins at which the policy `fast` stops, as a family with one parameter: after k of V views the exact rule stops at a
 * mean margin above (V - k) / k; `share` of that is asked for. 1 is the exact rule, 0 stops at once.
 */
export function marginsAt(share: number, views: number): number[] {
  return Array.from({ length: views }, (_, index) => (share * (views - index - 1)) / (index + 1))
}

export interface FittedMargin {
  readonly lead: number[]
  /** With 95 % confidence at most this share of photos gets another label than from all views. */
  readonly disagreementBound: number
  /** Photos the bound stands on. */
  readonly count: number
}

export interface FastMarginOptions {
  /** Disagreement that is aimed at. */
  readonly target: number
  /** Largest bound worth having; with so few photos that no better one can be shown, nothing is fitted. */
  readonly worst: number
}

const steps = 100

/**
 * The boldest margins whose disagreement with the full answer is bounded with 95 % confidence, by fixed-sequence testing
 * from the safest to bolder ones (learn then test: Angelopoulos et al. 2021, arXiv:2110.01052; for early exits: Jazbec
 * et al. 2024, arXiv:2405.20915), each tested by the exact binomial bound. n photos without a disagreement can promise
 * about 3 / n (rule of three): 299 photos are needed for 1 %, and with fewer the bound is what they can promise.
 *
 * @returns null when the photos are too few to promise `worst`
 */
export function fitFastMargin(
  photos: readonly PhotoViews[],
  { target, worst }: FastMarginOptions,
): FittedMargin | null {
  const count = photos.length
  const bound = Math.max(target, upperBound(0, count, level))
  const views = photos[0]?.length ?? 0
  if (bound > worst || views < 2) return null
  const full = photos.map((photo) => argmax(stopAt(photo, 'full', null).mean))
  const boundAt = (share: number): number => {
    const lead = marginsAt(share, views)
    const disagree = photos.filter((photo, index) => argmax(stopAt(photo, 'fast', lead).mean) !== full[index]).length
    return upperBound(disagree, count, level)
  }
  let accepted = 1
  let disagreementBound = boundAt(1)
  for (let step = steps - 1; step >= 0; step--) {
    const reached = boundAt(step / steps)
    if (reached > bound) break
    accepted = step / steps
    disagreementBound = reached
  }
  return { lead: marginsAt(accepted, views), disagreementBound, count }
}
