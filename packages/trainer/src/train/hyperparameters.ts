import { Random } from '@flowers/shared/random'
import { accumulation, adamDefaults, emaDecay, updatesPerEpoch } from '../optim/optimizer.ts'
import { rampValue, scheduleFactor } from '../optim/schedule.ts'
import { phaseNames, type Phase, type PhaseName } from '../recipe/schema.ts'
import type { Position } from '../run/state.ts'
import type { StepScalars } from './step.ts'

/** The part of a phase that fixes the hyperparameters of each of its steps. */
export interface Course {
  readonly name: PhaseName
  readonly phase: Phase
  /** Of the recipe. */
  readonly seed: number
  /** Micro-steps. */
  readonly stepsPerEpoch: number
  /** Whether a gradient reaches any weight of the backbone. */
  readonly trainsBackbone: boolean
}

export interface StepHyperparameters {
  readonly scalars: StepScalars
  /** Two words, for dropout and stochastic depth. */
  readonly seed: Int32Array
  /** Whether the update follows this micro-step. */
  readonly complete: boolean
}

/** The hyperparameters of the micro-step that a position is before: a function of the position alone. */
export function hyperparameters(course: Course, position: Position): StepHyperparameters {
  const { phase, stepsPerEpoch } = course
  const { epoch, step, updates, lossScale } = position
  const { of, complete } = accumulation(step, stepsPerEpoch, phase.accumulate)
  const factor = factorAt(course, position, updates)
  const noise = new Random(course.seed, 'step', phaseNames.indexOf(course.name), epoch * stepsPerEpoch + step)
  return {
    complete,
    seed: Int32Array.of(noise.word(), noise.word()),
    scalars: {
      backboneRate: phase.learningRate.backbone * factor,
      headRate: phase.learningRate.head * factor,
      beta1Power: adamDefaults.beta1 ** (updates + 1),
      beta2Power: adamDefaults.beta2 ** (updates + 1),
      averageDecay: phase.ema ? emaDecay(phase.ema, updates + 1) : 0,
      labelSmoothing: rampValue(phase.labelSmoothing, epoch, phase.epochs),
      lossScale: lossScale?.value ?? 1,
      accumulated: of,
    },
  }
}

/** Learning rates of the last update; those of the first as long as no update was made. */
export function learningRates(
  course: Course,
  position: Position,
): { learningRate: number; backboneLearningRate: number } {
  const { head, backbone } = course.phase.learningRate
  const factor = factorAt(course, position, Math.max(0, position.updates - 1))
  return { learningRate: head * factor, backboneLearningRate: course.trainsBackbone ? backbone * factor : 0 }
}

const factorAt = ({ phase, stepsPerEpoch }: Course, { plateau }: Position, updates: number): number =>
  scheduleFactor(phase.learningRate.schedule, {
    step: updates,
    stepsPerEpoch: updatesPerEpoch(stepsPerEpoch, phase.accumulate),
    epochs: phase.epochs,
    plateauFactor: plateau.factor,
  })
