import type { Progress } from '../console/progress.ts'
import type { Dataset } from '../dataset/dataset.ts'
import type { PhotoCache } from '../input/photo-cache.ts'
import type { Model } from '../model/architecture.ts'
import type { ResolvedRecipe } from '../recipe/precision.ts'
import type { MetricsLog } from '../run/metrics-log.ts'
import type { TensorBoard } from '../run/tensorboard.ts'
import type { SoftTargets } from './teacher.ts'

/** The parts of a run that all of its phases share. */
export interface RunContext {
  readonly folder: string
  readonly recipe: ResolvedRecipe
  readonly dataset: Dataset
  readonly model: Model
  /** Small photos, decoded once for all phases. */
  readonly photos: PhotoCache
  /** What the photos are taught beside their labels; null: nothing. */
  readonly teacher: SoftTargets | null
  readonly log: MetricsLog
  readonly board: TensorBoard
  readonly progress: Progress
  /** Aborted when the run shall save and stop; the run then rejects with the reason. */
  readonly signal: AbortSignal
}
