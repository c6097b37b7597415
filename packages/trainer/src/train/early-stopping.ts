import type { Phase, Recipe } from '../recipe/schema.ts'

/** The best epoch so far, and how many epochs have passed without a gain of accuracy. */
export interface Best {
  /** Of the best epoch on the validation photos, in [0, 1]; below 0: no epoch yet. */
  readonly accuracy: number
  /** Of the best epoch, nats. */
  readonly loss: number
  readonly epoch: number
  /** The highest accuracy of any epoch. */
  readonly top: number
  readonly waited: number
}

export const noBest: Best = { accuracy: -1, loss: Number.MAX_VALUE, epoch: -1, top: -1, waited: 0 }

export interface Judging {
  /** The measure that chooses the best epoch. */
  readonly criterion: Recipe['data']['criterion']
  /** Smallest gain of accuracy that early stopping counts. */
  readonly threshold: number
}

/**
 * The best after one more epoch (from 0). Any improvement by the criterion moves the checkpoint; only a gain of accuracy
 * above the threshold resets the patience.
 */
export function updateBest(
  best: Best,
  { accuracy, loss }: Pick<Best, 'accuracy' | 'loss'>,
  epoch: number,
  { criterion, threshold }: Judging,
): { best: Best; improved: boolean } {
  const improved = criterion === 'loss' ? loss < best.loss : accuracy > best.accuracy
  const patience = {
    waited: accuracy > best.top + threshold ? 0 : best.waited + 1,
    top: Math.max(best.top, accuracy),
  }
  return { best: improved ? { accuracy, loss, epoch, ...patience } : { ...best, ...patience }, improved }
}

/** Whether the phase ends after this epoch (from 0): its patience is used up and its protected period is over. */
export function shouldStop(options: Phase['earlyStopping'], best: Best, epoch: number): boolean {
  return options !== null && best.waited >= options.patience && epoch + 1 >= options.minEpochs
}
