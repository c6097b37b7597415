import type { Recipe } from '../../recipe/schema.ts'
import type { RunScore } from './score-run.ts'

/** What a ladder is run with; what is on record in its folder, and has to be the same to go on with it. */
export interface LadderPlan {
  readonly architecture: string
  /** Epochs of step 1; the others in proportion. */
  readonly epochs: number
  /** Side of the input before FixRes, pixels. */
  readonly size: number
  readonly batch: number
  /** Numbers of the steps to run, from 1, rising. */
  readonly steps: readonly number[]
  readonly seeds: readonly number[]
  /** `path=value` over every step's recipe. */
  readonly settings: readonly string[]
}

/** One trained and scored run. */
export interface LadderRun {
  readonly step: string
  readonly seed: number
  /** Its folder, beside the page. */
  readonly run: string
  /** The loss was no longer a number: scored is the best checkpoint before. */
  readonly diverged: boolean
  readonly score: RunScore
}

export interface Ladder {
  readonly plan: LadderPlan
  readonly data: { readonly classes: number; readonly train: number; readonly valid: number }
  /** What each step ran as, by name. */
  readonly recipes: Readonly<Record<string, Recipe>>
  /** Those that are done. */
  readonly runs: readonly LadderRun[]
}
