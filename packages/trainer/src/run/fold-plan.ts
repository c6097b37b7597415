import { join } from 'node:path'
import { exists, writeFileAtomic } from '@flowers/shared/files'
import { z } from 'zod'
import { readJson, runFiles } from './files.ts'

const planSchema = z.object({
  /** How often the recipe is run beside the run itself. */
  folds: z.int().min(2),
  /** Id and fold, from 0, of each photo that is in one. */
  photos: z.array(z.tuple([z.string(), z.int().nonnegative()])),
})

/** `folds.json` of a run. */
export type FoldPlan = z.infer<typeof planSchema>

/** The folds of a run; null: it has none. Throws TRAIN_RUN_DAMAGED. */
export async function readFoldPlan(run: string): Promise<FoldPlan | null> {
  const path = join(run, runFiles.foldPlan)
  return (await exists(path)) ? readJson(path, planSchema) : null
}

export const writeFoldPlan = (run: string, plan: FoldPlan): Promise<void> =>
  writeFileAtomic(join(run, runFiles.foldPlan), `${JSON.stringify(plan)}\n`)
