import { readSafetensorsHeader } from '../model/weights/safetensors.ts'
import { effectiveNumberWeights, effectivePrior } from '../optim/class-weights.ts'
import { checkpointFiles, checkpointPath } from '../run/files.ts'
import { whole } from '../run/run-folder.ts'
import { phaseNames, type Phase, type PhaseName, type Recipe } from '../recipe/schema.ts'

export interface LogitAdjustment {
  /** 1 answers as if the classes were equally frequent. */
  readonly tau: number
  /** Of the classes as training saw them, [K], positive, sums to 1. */
  readonly prior: readonly number[]
}

/**
 * Post-hoc logit adjustment (Menon et al. 2021, arXiv 2007.07314, equation 9), `logit_c - tau log prior_c`, folded into
 * the bias of the classifier. Values by parameter name; a new map, the given one is not changed.
 */
export function adjustLogits(
  values: ReadonlyMap<string, Float32Array>,
  { tau, prior }: LogitAdjustment,
): Map<string, Float32Array> {
  const name = ['head.fc.bias', 'classifier.bias'].find((candidate) => values.has(candidate))
  if (name === undefined) throw new Error('the network has no classifier')
  const adjusted = values.get(name)!.map((value, index) => value - tau * Math.log(prior[index]!))
  return new Map([...values, [name, adjusted]])
}

/** The class prior that sampler and class weights of a phase made of the training photos; a focal loss is not counted. */
export function phasePrior(
  { samplerPower, classWeightBeta }: Phase,
  trainCounts: readonly number[],
): readonly number[] {
  const weights = classWeightBeta === null ? null : effectiveNumberWeights(trainCounts, classWeightBeta)
  return effectivePrior(trainCounts, samplerPower, weights).prior
}

/** Where a checkpoint stands in its run: the phase, and the epoch of it, from 0; -1 is its start. */
interface Checkpoint {
  readonly phase: string
  readonly epoch: number
}

/** The adjustment that a recipe asks for at a checkpoint of a run folder; null: none. */
export async function logitAdjustmentOf(
  run: string,
  recipe: Pick<Recipe, 'phases' | 'logitAdjustment'>,
  { checkpoint, trainCounts }: { readonly checkpoint: Checkpoint; readonly trainCounts: readonly number[] },
): Promise<LogitAdjustment | null> {
  if (recipe.logitAdjustment === 0) return null
  const phase = await trainedPhase(run, recipe, checkpoint)
  return phase && { tau: recipe.logitAdjustment, prior: phasePrior(recipe.phases[phase], trainCounts) }
}

/** The phase whose epochs made a checkpoint: one taken at a phase's start comes from the phase before. Null: untrained. */
export async function trainedPhase(
  run: string,
  recipe: Pick<Recipe, 'phases'>,
  checkpoint: Checkpoint,
): Promise<PhaseName | null> {
  const place = phaseNames.findIndex((name) => name === checkpoint.phase)
  if (checkpoint.epoch >= 0) return phaseNames[place] ?? null
  const before = phaseNames.slice(0, place).findLast((name) => recipe.phases[name].epochs > 0)
  if (before === undefined) return null
  const { metadata } = await whole(checkpointPath(run, checkpointFiles.bestOf(before)), readSafetensorsHeader)
  return trainedPhase(run, recipe, { phase: before, epoch: Number(metadata['epoch']) })
}
