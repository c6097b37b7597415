import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessAbsent } from '@flowers/shared/files'
import { z } from 'zod'
import { readSafetensorsHeader } from '../model/weights/safetensors.ts'
import { choosingPhotos } from '../measure/split-validation.ts'
import { phaseNames, type PhaseName, type Recipe } from '../recipe/schema.ts'
import { readRunData } from '../run/data-file.ts'
import { checkpointFiles, checkpointPath, parseAs, runFiles } from '../run/files.ts'
import { readHistory } from '../run/history.ts'
import { whole } from '../run/run-folder.ts'
import type { Position } from '../run/state.ts'
import { isPhaseOver } from './position.ts'
import { sweepPlan } from './sweep.ts'

/** What a run came to. */
export interface RunResult {
  readonly phase: PhaseName
  /** Validation accuracy of `checkpoints/best.safetensors`, in [0, 1]. */
  readonly accuracy: number
  /** Validation photos that this stands on: those that chose. */
  readonly photos: number
  readonly size: number
  readonly labels: readonly string[]
}

const bestSchema = z.object({
  phase: z.enum(phaseNames),
  size: z.coerce.number().int().positive(),
  validAccuracy: z.coerce.number(),
})

/**
 * What a run came to of which nothing is left to do: every phase is trained, every size of the sweep is scored, and the
 * report, which comes last, is there. Undefined for any other. Throws TRAIN_RUN_MISSING and TRAIN_RUN_DAMAGED.
 */
export async function finishedResult(
  folder: string,
  recipe: Recipe,
  position: Position,
): Promise<RunResult | undefined> {
  const phases = phaseNames.filter((name) => recipe.phases[name].epochs > 0)
  const last = phases.at(-1)
  if (position.phase !== last || !isPhaseOver(recipe.phases[last], position)) return undefined
  if (!(await unlessAbsent(stat(join(folder, runFiles.report))))?.isFile()) return undefined
  const { sweep } = await readHistory(join(folder, runFiles.metrics))
  const wanted = recipe.sweep === null ? [] : sweepPlan(phases, recipe, recipe.sweep.sizes)
  const isScored = (phase: string, size: number): boolean =>
    sweep.some((line) => line.phase === phase && line.size === size)
  if (!wanted.every(({ size, phases: names }) => names.every((name) => isScored(name, size)))) return undefined
  const path = checkpointPath(folder, checkpointFiles.best)
  const { metadata } = await whole(path, readSafetensorsHeader)
  const { phase, size, validAccuracy: accuracy } = parseAs(path, bestSchema, metadata)
  const { labels, counts } = await readRunData(folder)
  const valid = Array.from({ length: [...counts.valid.values()].reduce((sum, count) => sum + count, 0) })
  const photos = choosingPhotos(valid, recipe.data.selection, recipe.seed).length
  return { phase, size, accuracy, photos, labels }
}
