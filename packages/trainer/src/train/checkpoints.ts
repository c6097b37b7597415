import { access, copyFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Model } from '../model/architecture.ts'
import { mapWeights, toTimmTensors } from '../model/weights/load.ts'
import { readSafetensors, writeSafetensors } from '../model/weights/safetensors.ts'
import type { PhaseName, Recipe } from '../recipe/schema.ts'
import { checkpointFiles, checkpointPath, runFiles } from '../run/files.ts'
import { readState, saveState, type Position, type SavedState } from '../run/state.ts'
import type { Best } from './early-stopping.ts'
import type { TrainingVariables } from './variables.ts'

/** The part of a run whose checkpoints are written. */
interface Checkpointed {
  /** The run folder. */
  readonly folder: string
  readonly model: Pick<Model, 'architecture' | 'parameters'>
  readonly recipe: Pick<Recipe, 'phases' | 'saveMinutes'>
}

/** Writes what a phase leaves in the run folder: its best and last weights, and the state to resume from. */
export class Checkpoints {
  readonly #run: Checkpointed
  readonly #phase: PhaseName
  readonly #variables: Pick<TrainingVariables, 'entries' | 'best'>
  readonly #now: () => number
  #savedAt: number

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(
    run: Checkpointed,
    phase: PhaseName,
    variables: Pick<TrainingVariables, 'entries' | 'best'>,
    now: () => number,
  ) {
    this.#run = run
    this.#phase = phase
    this.#variables = variables
    this.#now = now
    this.#savedAt = now()
  }

  /** Where the best weights of the run are. */
  get bestPath(): string {
    return this.#path(checkpointFiles.best)
  }

  async save(position: Position): Promise<void> {
    await saveState(this.#path(checkpointFiles.state), this.#variables, position)
    this.#savedAt = this.#now()
  }

  async saveIfDue(position: Position): Promise<void> {
    if (this.#now() - this.#savedAt > this.#run.recipe.saveMinutes * 60_000) await this.save(position)
  }

  /** Writes the weights as the best of the phase, and of the run so far. */
  async writeBest(best: Pick<Best, 'accuracy' | 'epoch'>): Promise<void> {
    const name = checkpointFiles.bestOf(this.#phase)
    await this.#writeWeights(name, best)
    await copyFile(this.#path(name), `${this.bestPath}.tmp`)
    await rename(`${this.bestPath}.tmp`, this.bestPath)
  }

  async writeLast(epoch: Pick<Best, 'accuracy' | 'epoch'>): Promise<void> {
    await this.#writeWeights(checkpointFiles.last, epoch)
  }

  /** The weights that validation saw, under timm's names and in PyTorch's layouts. */
  async #writeWeights(file: string, { accuracy, epoch }: Pick<Best, 'accuracy' | 'epoch'>): Promise<void> {
    const { model, recipe } = this.#run
    const values = new Map<string, Float32Array>()
    for (const parameter of model.parameters) {
      values.set(parameter.name, (await this.#variables.best(parameter.name).data()) as Float32Array)
    }
    await writeSafetensors(this.#path(file), toTimmTensors(model, values), {
      architecture: model.architecture,
      phase: this.#phase,
      epoch: String(epoch),
      size: String(recipe.phases[this.#phase].size),
      validAccuracy: String(accuracy),
    })
  }

  #path(name: string): string {
    return checkpointPath(this.#run.folder, name)
  }
}

/** The state that a run saved last; undefined if it was killed before its first, and starts again. */
export async function loadState(folder: string): Promise<SavedState | undefined> {
  const path = checkpointPath(folder, checkpointFiles.state)
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  return exists ? readState(path) : undefined
}

/** The best weights of a phase, by parameter. */
export async function bestWeights(
  model: Pick<Model, 'architecture' | 'parameters'>,
  folder: string,
  phase: PhaseName,
): Promise<Map<string, Float32Array>> {
  const path = checkpointPath(folder, checkpointFiles.bestOf(phase))
  return mapWeights(model, await readSafetensors(path), { head: 'load' })
}

/** Removes files that a killed run was writing: each may be as large as the state itself. */
export async function removeHalfWritten(folder: string): Promise<void> {
  const checkpoints = join(folder, runFiles.checkpoints)
  for (const name of await readdir(checkpoints)) if (name.endsWith('.tmp')) await rm(join(checkpoints, name))
}
