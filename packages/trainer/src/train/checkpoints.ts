import { copyFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { exists } from '@flowers/shared/files'
import type { Model } from '../model/architecture.ts'
import { toTimmTensors } from '../model/weights/load.ts'
import { writeSafetensors } from '../model/weights/safetensors.ts'
import type { PhaseName, Recipe } from '../recipe/schema.ts'
import { checkpointFiles, checkpointPath, runFiles } from '../run/files.ts'
import { readCheckpoint } from '../run/run-folder.ts'
import { readState, saveState, type Position, type SavedState } from '../run/state.ts'
import type { RunContext } from './context.ts'
import type { Best } from './early-stopping.ts'
import type { TrainingVariables } from './variables.ts'

type ScoredEpoch = Pick<Best, 'accuracy' | 'loss' | 'epoch'>

/** Writes what a phase leaves in the run folder: its best and last weights, and the state to resume from. */
export interface Checkpoints {
  /** Where the best weights of the run are. */
  readonly bestPath: string
  save(position: Position): Promise<void>
  /** Saves unless a state was saved in the last `saveMinutes` of the recipe. */
  saveIfDue(position: Position): Promise<void>
  /** Writes the weights as the best of the phase, and of the run so far where they are. */
  writeBest(best: ScoredEpoch, isBestOfRun: boolean): Promise<void>
  writeLast(epoch: ScoredEpoch): Promise<void>
}

/** `now`: milliseconds of a clock that never goes back. */
export function openCheckpoints(
  {
    folder,
    model,
    recipe,
  }: Pick<RunContext, 'folder' | 'model'> & { readonly recipe: Pick<Recipe, 'phases' | 'saveMinutes'> },
  phase: PhaseName,
  variables: Pick<TrainingVariables, 'entries' | 'best'>,
  now: () => number,
): Checkpoints {
  const pathOf = (name: string): string => checkpointPath(folder, name)
  const bestPath = pathOf(checkpointFiles.best)
  let savedAt = now()

  /** The weights that validation saw, under timm's names and in PyTorch's layouts. */
  async function writeWeights(path: string, { accuracy, loss, epoch }: ScoredEpoch): Promise<void> {
    const values = new Map<string, Float32Array>()
    for (const { name } of model.parameters) values.set(name, (await variables.best(name).data()) as Float32Array)
    await writeSafetensors(path, toTimmTensors(model, values), {
      architecture: model.architecture,
      phase,
      epoch: String(epoch),
      size: String(recipe.phases[phase].size),
      validAccuracy: String(accuracy),
      validLoss: String(loss),
    })
  }
  async function save(position: Position): Promise<void> {
    await saveState(pathOf(checkpointFiles.state), variables, position)
    savedAt = now()
  }
  return {
    bestPath,
    save,
    async saveIfDue(position) {
      if (now() - savedAt > recipe.saveMinutes * 60_000) await save(position)
    },
    async writeBest(best, isBestOfRun) {
      const path = pathOf(checkpointFiles.bestOf(phase))
      await writeWeights(path, best)
      if (!isBestOfRun) return
      await copyFile(path, `${bestPath}.tmp`)
      await rename(`${bestPath}.tmp`, bestPath)
    },
    writeLast: (epoch) => writeWeights(pathOf(checkpointFiles.last), epoch),
  }
}

/** The state that a run saved last; undefined if it was killed before its first, and starts again. */
export async function loadState(folder: string): Promise<SavedState | undefined> {
  const path = checkpointPath(folder, checkpointFiles.state)
  return (await exists(path)) ? readState(path) : undefined
}

/** The best weights of a phase, by parameter. */
export function bestWeights(
  model: Pick<Model, 'architecture' | 'parameters'>,
  folder: string,
  phase: PhaseName,
): Promise<Map<string, Float32Array>> {
  return readCheckpoint(checkpointPath(folder, checkpointFiles.bestOf(phase)), model)
}

/** Removes files that a killed run was writing: each may be as large as the state itself. */
export async function removeHalfWritten(folder: string): Promise<void> {
  const checkpoints = join(folder, runFiles.checkpoints)
  for (const name of await readdir(checkpoints)) if (name.endsWith('.tmp')) await rm(join(checkpoints, name))
}
