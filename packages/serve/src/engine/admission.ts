import type { Manifest } from '@flowers/shared/model/manifest'
import { earliestStop, viewPolicies, type ViewPolicy } from '@flowers/shared/model/views'
import type { ThreadPlan } from './plan.ts'
import { average, latency, work, type Cost } from './scheduler/cost.ts'
import type { ServiceLevel } from './scheduler/forecast.ts'

type Rules = Pick<Manifest, 'views' | 'calibration'>

/**
 * What an image may be answered with that is asked with `policy`: that, and when the service may step down the cheaper
 * ones after it. `fast` is left out where it was not fitted.
 */
export function allowedPolicies({ views, calibration }: Rules, policy: ViewPolicy, mayStepDown: boolean): ViewPolicy[] {
  const asked = policy === 'fast' && !calibration.fastLead ? 'exact' : policy
  if (!mayStepDown || views.length === 1) return [asked]
  const cheaper = viewPolicies.slice(viewPolicies.indexOf(asked) + 1)
  return [asked, ...cheaper.filter((each) => each !== 'fast' || calibration.fastLead)]
}

/** How quickly a model runs views. */
export interface Pace {
  readonly cost: Pick<Cost, 'seconds'>
  readonly plan: Pick<ThreadPlan, 'workers' | 'threads'>
  /** The most views of a run. */
  readonly batch: number
}

/** What an image is expected to cost of which `views` views are run, not necessarily a whole number. */
export function serviceLevel({ cost, plan, batch }: Pace, policy: ViewPolicy, views: number): ServiceLevel {
  return {
    policy,
    work: plan.threads * work(cost, views, batch),
    latency: latency(cost, views, plan.workers, batch),
  }
}

/** Weight of the newest image in the averages. */
const newestWeight = 0.1

/** What images of a model needed so far. */
export class UsualNeeds {
  readonly #rules: Rules
  readonly #views = new Map<ViewPolicy, number>()
  #decodeSeconds = 0

  constructor(rules: Rules) {
    this.#rules = rules
  }

  /** Seconds of one thread that an image takes to be decoded and resized, on average; 0 before the first. */
  get decodeSeconds(): number {
    return this.#decodeSeconds
  }

  /** Views that an image needs on average; before the first, those that `policy` needs in any case. */
  views(policy: ViewPolicy): number {
    const { views, calibration } = this.#rules
    return this.#views.get(policy) ?? earliestStop(policy, views.length, calibration.fastLead)
  }

  /** Tells that an image took `seconds` of one thread to be decoded. */
  decoded(seconds: number): void {
    this.#decodeSeconds = average(this.#decodeSeconds, seconds, newestWeight)
  }

  /** Tells that an image was answered with `views` views. */
  answered(policy: ViewPolicy, views: number): void {
    this.#views.set(policy, average(this.views(policy), views, newestWeight))
  }
}
