import { earliestStop, runViews, softmax } from '@flowers/shared/views'
import type { ViewsPlan, ViewsResult } from '@flowers/shared/views'

/** How views are run: by whom, how many in a batch, and how many batches side by side. */
export interface ViewRunner {
  /** Logits of the views with these indices, run as one batch. */
  readonly run: (indices: readonly number[]) => Promise<readonly ArrayLike<number>[]>
  /** Views that one batch should have. */
  readonly batch: number
  /** A second batch may run beside the first while this gives a release, and not when it gives null. */
  readonly spare: () => (() => void) | null
  /** No view is started after this is aborted. */
  readonly signal: AbortSignal
}

/**
 * Runs the views of one picture until the policy lets go. Views that the policy needs in any case are spread over
 * batches and spare workers; those that may turn out to be needless run one by one.
 * Rejects with the reason of `signal`, or with what a run was rejected with.
 */
export async function inferViews(plan: ViewsPlan, runner: ViewRunner): Promise<ViewsResult> {
  const results: Promise<Float64Array>[] = []
  const needed = earliestStop(plan.policy, plan.of, plan.fast ?? null)
  return runViews(plan, (index) => {
    if (index === results.length) results.push(...start(range(index, Math.max(needed, index + 1)), runner))
    return results[index]!
  })
}

/** The probabilities of each view, in order; batches are started as lanes become free. */
function start(indices: readonly number[], runner: ViewRunner): Promise<Float64Array>[] {
  const spares: (() => void)[] = []
  for (let lanes = 1; lanes < indices.length; lanes++) {
    const spare = runner.spare()
    if (!spare) break
    spares.push(spare)
  }
  const size = Math.min(runner.batch, Math.ceil(indices.length / (spares.length + 1)))
  const batches = chunks(indices, size).map((views) => ({ views, outcome: deferred<Float64Array[]>() }))
  const pending = batches.values()
  let failure: Error | undefined
  const lane = async (release?: () => void): Promise<void> => {
    for (const { views, outcome } of pending) {
      try {
        runner.signal.throwIfAborted()
        if (failure) throw failure
        outcome.resolve((await runner.run(views)).map((logits) => softmax(logits)))
      } catch (error) {
        failure = error as Error
        outcome.reject(failure)
      }
    }
    release?.()
  }
  void lane()
  for (const release of spares) void lane(release)
  return batches.flatMap(({ views, outcome }) =>
    views.map((_, index) => {
      const view = outcome.promise.then((probabilities) => probabilities[index]!)
      // A view that nobody waits for any more may fail without being noticed.
      view.catch(() => {})
      return view
    }),
  )
}

interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

function deferred<T>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, ...settle! }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  )
}
