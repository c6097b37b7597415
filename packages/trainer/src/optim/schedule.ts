import type { Phase, Ramp } from '../recipe/schema.ts'

export type Schedule = Phase['learningRate']['schedule']

export interface SchedulePosition {
  /** Optimizer steps done in this phase, from 0. */
  readonly step: number
  readonly stepsPerEpoch: number
  readonly epochs: number
  /** The share of the rate that the plateaus so far have left; 1 with any other schedule. */
  readonly plateauFactor: number
}

/** Half a cosine from 1 at progress 0 to `minimum` at 1: equation 5 of SGDR (arXiv 1608.03983). */
const annealed = (progress: number, minimum: number): number =>
  minimum + (1 - minimum) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)))

type Kind<K extends Schedule['kind']> = Extract<Schedule, { kind: K }>

/** Factors after the warm-up; `done` steps after it. */
const factors: { [K in Schedule['kind']]: (schedule: Kind<K>, done: number, position: SchedulePosition) => number } = {
  fixed: () => 1,
  cosine: ({ minimum }, done, { step, stepsPerEpoch, epochs }) =>
    annealed(done / Math.max(1, epochs * stepsPerEpoch - (step - done)), minimum),
  restarts: ({ cycleEpochs, growth, minimum }, done, { stepsPerEpoch }) => {
    let [start, length] = [0, cycleEpochs * stepsPerEpoch]
    while (done >= start + length) {
      start += length
      length *= growth
    }
    return annealed((done - start) / length, minimum)
  },
  plateau: ({ minimum }, _done, { plateauFactor }) => Math.max(minimum, plateauFactor),
}

/** The factor of the learning rate at a step, in (0, 1]. The warm-up is linear and ends at 1. */
export function scheduleFactor<K extends Schedule['kind']>(schedule: Kind<K>, position: SchedulePosition): number {
  const warmup = 'warmupEpochs' in schedule ? Math.round(schedule.warmupEpochs * position.stepsPerEpoch) : 0
  if (position.step < warmup) return (position.step + 1) / (warmup + 1)
  return factors[schedule.kind](schedule, position.step - warmup, position)
}

/** The state of ReduceLROnPlateau between epochs. */
export interface Plateau {
  readonly best: number
  readonly waited: number
  readonly factor: number
}

export const noPlateau: Plateau = { best: -1, waited: 0, factor: 1 }

/** The plateau after one more epoch, by PyTorch's ReduceLROnPlateau with mode max and an absolute threshold. */
export function updatePlateau(schedule: Schedule, plateau: Plateau, accuracy: number): Plateau {
  if (schedule.kind !== 'plateau') return plateau
  if (accuracy > plateau.best + schedule.threshold) return { ...plateau, best: accuracy, waited: 0 }
  if (plateau.waited < schedule.patience) return { ...plateau, waited: plateau.waited + 1 }
  return { ...plateau, waited: 0, factor: plateau.factor * schedule.factor }
}

/** Value of a ramp at an epoch (from 0) of a phase: `from` in the first, `to` in the last, linear between. */
export function rampValue(ramp: Ramp, epoch: number, epochs: number): number {
  if (typeof ramp === 'number') return ramp
  const progress = epochs <= 1 ? 1 : Math.min(1, epoch / (epochs - 1))
  return ramp.from + (ramp.to - ramp.from) * progress
}
