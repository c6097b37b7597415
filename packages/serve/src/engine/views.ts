import { earliestStop, runViews, softmax, type ViewsPlan, type ViewsResult } from '@flowers/shared/model/views'

/** Runs the views of one picture. */
export interface ViewSource {
  /** Logits of the views with these indices; they are started together. */
  readonly run: (indices: readonly number[]) => Promise<ArrayLike<number>>[]
  /** Runs that could begin now and that no view waits for. */
  readonly spare: () => number
}

/**
 * Runs the views of one picture until the policy lets go. Those that the policy needs in any case are started
 * together; of those that may turn out to be needless, one, or as many as idle workers can take.
 * Rejects with what a view is rejected with.
 */
export async function inferViews(plan: ViewsPlan, source: ViewSource): Promise<ViewsResult> {
  const results: Promise<Float64Array>[] = []
  const needed = earliestStop(plan.policy, plan.of, plan.fast ?? null)
  return runViews(plan, (index) => {
    if (index === results.length) {
      const count = index === 0 ? needed : Math.max(1, Math.min(source.spare(), plan.of - index))
      const started = source.run(Array.from({ length: count }, (_, offset) => index + offset))
      results.push(...started.map(async (logits) => softmax(await logits)))
      // A view that nobody waits for any more may fail without being noticed.
      for (const result of results) result.catch(() => {})
    }
    return results[index]!
  })
}
