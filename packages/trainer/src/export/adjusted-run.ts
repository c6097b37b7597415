import { readRun, trainCountsOf, type TrainedRun } from '../run/run-folder.ts'
import { adjustLogits, logitAdjustmentOf, type LogitAdjustment } from './adjust-logits.ts'

export interface AdjustedRun {
  readonly run: TrainedRun
  /** The values as they were trained. */
  readonly trained: TrainedRun['values']
  readonly logitAdjustment: LogitAdjustment | null
}

/** A run with the logit adjustment of its recipe folded into its values. Throws what `readRun` throws. */
export async function readAdjusted(folder: string): Promise<AdjustedRun> {
  const run = await readRun(folder)
  const { recipe, checkpoint } = run
  const logitAdjustment = await logitAdjustmentOf(folder, recipe, { checkpoint, trainCounts: trainCountsOf(run) })
  const { values: trained } = run
  if (logitAdjustment === null) return { run, trained, logitAdjustment }
  return { run: { ...run, values: adjustLogits(trained, logitAdjustment) }, trained, logitAdjustment }
}
