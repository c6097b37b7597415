import type { Phase } from '../recipe/schema.ts'
import { isBetter, type Criterion, type Score } from './choice.ts'

/** The best epoch so far, and how many epochs have passed without a gain of accuracy. */
export interface Best extends Score {
  /** Of the best epoch on the validation photos, in [0, 1]; below 0: nothing was scored yet. */
  readonly accuracy: number
  /** From 0; -1: what the phase started with. */
  readonly epoch: number
  /** The highest accuracy of any epoch. */
  readonly top: number
  readonly waited: number
  /** The accuracy under which no epoch is the best, however small its loss. */
  readonly floor: number
}

export const noBest: Best = { accuracy: -1, loss: Number.MAX_VALUE, epoch: -1, top: -1, waited: 0, floor: 0 }

/**
 * The best of a phase before its first epoch, from how its starting weights did. Where those were trained no epoch may do
 * worse by accuracy; where the head is still random, how it does is chance and counts for nothing.
 */
export function bestAtStart({ accuracy, loss }: Score, isTrained: boolean): Best {
  // A state is JSON, which has no other numbers.
  const score = Number.isFinite(loss) ? { accuracy, loss } : { accuracy: 0, loss: noBest.loss }
  return { ...noBest, ...score, ...(isTrained ? { top: score.accuracy, floor: score.accuracy } : {}) }
}

export interface Judging {
  /** The measure that chooses the best epoch. */
  readonly criterion: Criterion
  /** Smallest gain of accuracy that early stopping counts. */
  readonly threshold: number
  /** Whether the weights that the phase started with were trained: only then may they stay the best. */
  readonly startsTrained: boolean
}

/** Whether a phase has weights to keep: those of an epoch, or trained ones that it started with. */
export const isKept = ({ epoch, accuracy }: Best, { startsTrained }: Pick<Judging, 'startsTrained'>): boolean =>
  epoch >= 0 || (startsTrained && accuracy >= 0)

/**
 * The best after one more epoch (from 0). Any improvement by the criterion moves the checkpoint; only a gain of accuracy
 * above the threshold resets the patience.
 */
export function updateBest(
  best: Best,
  { accuracy, loss }: Score,
  epoch: number,
  { criterion, threshold, startsTrained }: Judging,
): { best: Best; improved: boolean } {
  const improved = isKept(best, { startsTrained })
    ? accuracy >= best.floor && isBetter({ accuracy, loss }, best, criterion)
    : Number.isFinite(loss)
  const patience = {
    waited: accuracy > best.top + threshold ? 0 : best.waited + 1,
    top: Math.max(best.top, accuracy),
  }
  return { best: { ...best, ...(improved ? { accuracy, loss, epoch } : {}), ...patience }, improved }
}

/** Whether the phase ends after this epoch (from 0): its patience is used up and its protected period is over. */
export function shouldStop(options: Phase['earlyStopping'], best: Best, epoch: number): boolean {
  return options !== null && best.waited >= options.patience && epoch + 1 >= options.minEpochs
}
