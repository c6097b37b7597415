import { SharedError } from '../errors.ts'

/** How many of the views a request uses: all, until the label is provably decided, until it is very likely decided, or one. */
export const viewPolicies = ['full', 'exact', 'fast', 'none'] as const
export type ViewPolicy = (typeof viewPolicies)[number]

/** Probabilities of logits; the largest is subtracted first, so no value overflows. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const probabilities = Float64Array.from(logits)
  const largest = probabilities.reduce((a, b) => Math.max(a, b), -Infinity)
  let sum = 0
  for (let index = 0; index < probabilities.length; index++) {
    sum += probabilities[index] = Math.exp(probabilities[index]! - largest)
  }
  for (let index = 0; index < probabilities.length; index++) probabilities[index]! /= sum
  return probabilities
}

/** Index of the largest value; of equal ones the first. -1 when empty. */
export function argmax(values: ArrayLike<number>): number {
  let best = values.length === 0 ? -1 : 0
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index
  return best
}

/** The largest value less the second largest (which may be equal: 0). One class leads by its own value. */
export function marginOf(values: ArrayLike<number>): number {
  let first = -Infinity
  let second = values.length > 1 ? -Infinity : 0
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!
    if (value > first) {
      second = values.length > 1 ? first : 0
      first = value
    } else if (value > second) second = value
  }
  return first - second
}

/** Mean probability over views, summed in their order. */
export function mergeViews(probabilities: readonly ArrayLike<number>[]): Float64Array {
  const first = probabilities[0]
  if (!first) throw new RangeError('No views to merge.')
  const sums = new Float64Array(first.length)
  for (const view of probabilities) addTo(sums, view)
  return sums.map((sum) => sum / probabilities.length)
}

function addTo(sums: Float64Array, view: ArrayLike<number>): void {
  if (view.length !== sums.length) throw new RangeError(`A view has ${view.length} classes, others ${sums.length}.`)
  for (let index = 0; index < sums.length; index++) sums[index]! += view[index]!
}

/** More than rounding can move a sum of at most a thousand probabilities, softmax in float32 included. */
const rounding = 1e-6

/**
 * Whether views still to come cannot change the label. `sums` are the probabilities summed over the first `used` of
 * `of` views. A view adds at most 1 to a rival and at least 0 to the leader, so a lead above `of - used` is final.
 */
export function decided(sums: ArrayLike<number>, used: number, of: number): boolean {
  const remaining = of - used
  return remaining <= 0 || marginOf(sums) > remaining + rounding
}

/**
 * `lead[k-1]`: stop after k views when the margin of the mean probability reaches it. Fitted on validation photos. The
 * name is that of the manifest's JSON, `calibration.fastLead.lead`.
 */
export interface FastMargin {
  readonly lead: readonly number[]
}

/** Views after which a policy may stop for the first time; that many can be run as one batch. At least 1. */
export function earliestStop(policy: ViewPolicy, of: number, fast: FastMargin | null = null): number {
  if (policy === 'none') return 1
  if (policy === 'full') return of
  const exact = Math.floor(of / 2) + 1
  if (policy === 'exact' || !fast) return Math.min(exact, of)
  const first = fast.lead.findIndex((lead) => lead <= 1) + 1
  return first === 0 ? Math.min(exact, of) : Math.min(first, exact, of)
}

/**
 * Whether a request may stop after `used` of `of` views, whose probabilities sum to `sums`. `fast` without fitted
 * thresholds is `exact`.
 */
export function mayStop(
  policy: ViewPolicy,
  sums: ArrayLike<number>,
  used: number,
  of: number,
  fast: FastMargin | null = null,
): boolean {
  return used >= of || stopRules[policy](sums, used, of, fast)
}

type StopRule = (sums: ArrayLike<number>, used: number, of: number, fast: FastMargin | null) => boolean

const stopRules: Record<ViewPolicy, StopRule> = {
  none: (_sums, used) => used >= 1,
  full: () => false,
  exact: decided,
  fast: (sums, used, of, fast) =>
    marginOf(sums) / used >= (fast?.lead[used - 1] ?? Infinity) || decided(sums, used, of),
}

export interface ViewsResult {
  /** Mean probability over the views that were used. */
  readonly probabilities: Float64Array
  readonly used: number
  readonly of: number
}

export interface ViewsPlan {
  readonly policy: ViewPolicy
  /** How many views there are: `manifest.views.length`. */
  readonly of: number
  readonly fast?: FastMargin | null
}

/**
 * Runs views in order until the policy lets go. `infer(k)` gives the probabilities of view k (from 0), each summing
 * to 1; what it throws, an abort say, ends the run. Throws MODEL_OUTPUT when a probability is not a number.
 */
export async function runViews(
  plan: ViewsPlan,
  infer: (index: number) => ArrayLike<number> | Promise<ArrayLike<number>>,
): Promise<ViewsResult> {
  let sums: Float64Array | undefined
  let used = 0
  do {
    const view = await infer(used)
    sums ??= new Float64Array(view.length)
    addTo(sums, view)
    used++
    if (!sums.every(Number.isFinite)) {
      throw new SharedError('MODEL_OUTPUT', `View ${used} gave a probability that is not a number.`)
    }
  } while (!mayStop(plan.policy, sums, used, plan.of, plan.fast ?? null))
  return { probabilities: sums.map((sum) => sum / used), used, of: plan.of }
}
