import type { Phase } from '../recipe.ts'

/** Best validation accuracy so far, the epoch that gave it, and how many epochs have passed without a better one. */
export interface Best {
  readonly accuracy: number
  readonly epoch: number
  readonly waited: number
}

export const noBest: Best = { accuracy: -1, epoch: -1, waited: 0 }

/**
 * Counts an epoch (from 0) in. It is the best when it beats the last best by more than the threshold; any improvement
 * moves the checkpoint, but only one above the threshold resets the patience.
 */
export function updateBest(
  best: Best,
  accuracy: number,
  epoch: number,
  threshold: number,
): { best: Best; improved: boolean } {
  const improved = accuracy > best.accuracy
  const waited = accuracy > best.accuracy + threshold ? 0 : best.waited + 1
  return { best: improved ? { accuracy, epoch, waited } : { ...best, waited }, improved }
}

/** Whether the phase ends after this epoch (from 0): patience used up and the protected period over. */
export function shouldStop(options: Phase['earlyStopping'], best: Best, epoch: number): boolean {
  return options !== null && best.waited >= options.patience && epoch + 1 >= options.minEpochs
}
