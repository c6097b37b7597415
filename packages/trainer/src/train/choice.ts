import type { Recipe } from '../recipe/schema.ts'

/** How weights did on the validation photos. */
export interface Score {
  /** In [0, 1]. */
  readonly accuracy: number
  /** Nats. */
  readonly loss: number
}

export type Criterion = Recipe['data']['criterion']

/**
 * Whether weights did better than others: by the criterion, of equals by the other measure. A loss that is no number is
 * worse than any that is one.
 */
export function isBetter(one: Score, other: Score, criterion: Criterion): boolean {
  if (!Number.isFinite(one.loss)) return false
  if (!Number.isFinite(other.loss)) return true
  const accuracy = one.accuracy - other.accuracy
  const loss = other.loss - one.loss
  const [first, second] = criterion === 'loss' ? [loss, accuracy] : [accuracy, loss]
  return first > 0 || (first === 0 && second > 0)
}
