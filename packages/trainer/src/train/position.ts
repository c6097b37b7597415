import { initialLossScale, nextLossScale } from '../optim/optimizer.ts'
import { noPlateau } from '../optim/schedule.ts'
import type { ResolvedRecipe } from '../recipe/precision.ts'
import type { Phase, PhaseName } from '../recipe/schema.ts'
import type { Position } from '../run/state.ts'
import { noBest, shouldStop } from './early-stopping.ts'
import { scalesLoss, type StepResult } from './step.ts'

const noSums: Position['sums'] = { loss: 0, correct: 0, seen: 0, skipped: 0 }

/** What the phases before leave to a phase. */
export interface Legacy extends Pick<Position, 'seconds' | 'leader'> {
  /** Optimizer steps. */
  readonly updates: number
}

export const noLegacy: Legacy = { seconds: 0, updates: 0, leader: null }

/** What a phase that ends here leaves to the next. A state of an earlier release names no leader: it is the last phase. */
export const legacyOf = (position: Position): Legacy => {
  const { phase, best, seconds } = position
  const { accuracy, loss } = best
  return { seconds, updates: updatesOf(position), leader: position.leader ?? { phase, accuracy, loss } }
}

/** The start of a phase. */
export const startOf = (
  phase: PhaseName,
  { precision }: Pick<ResolvedRecipe, 'precision'>,
  metricsBytes = 0,
  { seconds, updates, leader }: Legacy = noLegacy,
): Position => ({
  phase,
  epoch: 0,
  step: 0,
  updates: 0,
  earlierUpdates: updates,
  best: noBest,
  leader,
  before: leader,
  plateau: noPlateau,
  sums: noSums,
  lossScale: scalesLoss(precision) ? initialLossScale : null,
  metricsBytes,
  seconds,
})

/** Optimizer steps of the whole run before a position. */
export const updatesOf = ({ earlierUpdates, updates }: Position): number => earlierUpdates + updates

/** Whether no epoch of the phase is left to train. */
export const isPhaseOver = ({ epochs, earlyStopping }: Phase, { epoch, best }: Position): boolean =>
  epoch >= epochs || shouldStop(earlyStopping, best, epoch - 1)

/** Whether no micro-step of the phase has been done. */
export const isUntrained = ({ epoch, step }: Position): boolean => epoch === 0 && step === 0

/**
 * The position after a micro-step of `photos` photos; `complete`: an update was due after it. An update that overflowed
 * under a loss scale was skipped, and the scale falls. Null if loss or gradient is not finite and no scale can fall.
 */
export function afterStep(
  position: Position,
  { loss, correct, gradientNorm }: StepResult,
  { photos, complete }: { photos: number; complete: boolean },
): Position | null {
  const { sums, step, updates, lossScale } = position
  const isFinite = Number.isFinite(gradientNorm) && Number.isFinite(loss)
  const scale = lossScale && complete ? nextLossScale(lossScale, isFinite) : lossScale
  if (!isFinite && scale === null) return null
  return {
    ...position,
    step: step + 1,
    updates: updates + (complete && isFinite ? 1 : 0),
    lossScale: scale,
    sums: {
      // Photos whose forward pass overflowed have no loss that could be added.
      ...(Number.isFinite(loss)
        ? { loss: sums.loss + loss * photos, correct: sums.correct + correct, seen: sums.seen + photos }
        : sums),
      skipped: sums.skipped + (complete && !isFinite ? 1 : 0),
    },
  }
}

/** The position after an epoch, with what the epoch changes beside the counts. */
export const afterEpoch = (
  position: Position,
  changed: Pick<Position, 'best' | 'plateau' | 'metricsBytes' | 'seconds'>,
): Position => ({ ...position, ...changed, epoch: position.epoch + 1, step: 0, sums: noSums })

/** Mean loss (nats) and accuracy of the photos of the unfinished epoch; NaN before its first step. */
export const trainedSoFar = ({ sums: { loss, correct, seen } }: Position): { loss: number; accuracy: number } => ({
  loss: loss / seen,
  accuracy: correct / seen,
})
