import { step1, step2, step3, step4, step5 } from '../../recipe/recipes/ladder.ts'
import type { RecipeInput } from '../../recipe/schema.ts'

/** A step of the contest entry that docs/contest.md describes. */
export interface Step {
  readonly recipe: RecipeInput
  /** What it has over the step before. */
  readonly adds: string
  /** Top-1 accuracy there, percent: ConvNeXt-Base, 152 classes, its own photos. */
  readonly report: number
}

export const steps: readonly Step[] = [
  { recipe: step1, report: 80.1, adds: 'cross-entropy, gradient clipping' },
  {
    recipe: step2,
    report: 92.5,
    adds: 'AdamW, mixed precision, cosine, dropout, label smoothing, early stopping, head first, EMA',
  },
  {
    recipe: step3,
    report: 95.7,
    adds: 'MixUp and CutMix, late clean epochs, a lower rate for the backbone, plateau, three views',
  },
  { recipe: step4, report: 96.6, adds: 'warm-up and restarts, other smoothing, decay and alphas' },
  {
    recipe: step5,
    report: 97.5,
    adds: 'effective-number weights, focal loss, power-0.5 sampling, stronger and fading augmentation, FixRes, six views, more epochs',
  },
]

/** The steps that a plan names by their numbers, from 1. */
export const chosenSteps = (plan: { readonly steps: readonly number[] }): readonly Step[] =>
  steps.filter((_, index) => plan.steps.includes(index + 1))
