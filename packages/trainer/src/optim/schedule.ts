import type { z } from 'zod'
import type { scheduleSchema } from '../recipe.ts'

export type Schedule = z.infer<typeof scheduleSchema>

export interface SchedulePosition {
  /** Optimizer steps done in this phase, from 0. */
  readonly step: number
  readonly stepsPerEpoch: number
  readonly epochs: number
}

type Factor<Kind extends Schedule['kind']> = (
  schedule: Extract<Schedule, { kind: Kind }>,
  position: SchedulePosition,
) => number

const factors: { [Kind in Schedule['kind']]: Factor<Kind> } = {
  fixed: () => 1,
  cosine: ({ warmupEpochs, minimum }, { step, stepsPerEpoch, epochs }) => {
    const warmup = Math.round(warmupEpochs * stepsPerEpoch)
    if (step < warmup) return (step + 1) / (warmup + 1)
    const span = Math.max(1, epochs * stepsPerEpoch - warmup)
    const progress = Math.min(1, (step - warmup) / span)
    return minimum + (1 - minimum) * 0.5 * (1 + Math.cos(Math.PI * progress))
  },
}

/**
 * What the learning rate is multiplied with at a step, in (0, 1]. Cosine annealing without restarts is
 * equation 5 of SGDR (arXiv 1608.03983); the warm-up is linear and ends at 1.
 */
export function scheduleFactor<Kind extends Schedule['kind']>(
  schedule: Extract<Schedule, { kind: Kind }>,
  position: SchedulePosition,
): number {
  const factor = factors[schedule.kind]
  return factor(schedule, position)
}
