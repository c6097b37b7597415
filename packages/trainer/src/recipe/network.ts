import type { Model } from '../model/architecture.ts'
import { findArchitecture } from '../model/registry.ts'
import { requireWeights } from '../model/weights/fetch.ts'
import { phaseNames, type Recipe } from './schema.ts'
import { TrainerError } from '../errors.ts'

/**
 * The network of a recipe for so many classes. Throws MODEL_UNKNOWN_ARCHITECTURE, and RECIPE_INVALID for an option that
 * the family does not have or a phase that trains batch normalisations where there are none.
 */
export function buildModel({ model: recipe, phases }: Pick<Recipe, 'model' | 'phases'>, classes: number): Model {
  const { architecture, head, stochasticDepth, layerScale } = recipe
  const model = findArchitecture(architecture).build({ classes, head, stochasticDepth, layerScale })
  const wrong = phaseNames.find((name) => phases[name].epochs > 0 && phases[name].batchNorm !== 'frozen')
  if (wrong !== undefined && model.batchNormalizations.length === 0) {
    throw new TrainerError(
      'RECIPE_INVALID',
      `${architecture} has no batch normalisation: set phases.${wrong}.batchNorm to frozen`,
    )
  }
  return model
}

/**
 * Finds what is wrong with the model of a recipe before any photo is read, without fetching anything. Throws what
 * `buildModel` throws, WEIGHTS_UNKNOWN and WEIGHTS_ARCHITECTURE.
 */
export async function requireModel(recipe: Pick<Recipe, 'model' | 'phases'>): Promise<void> {
  const { architecture, weights } = recipe.model
  buildModel(recipe, 1)
  if (weights !== null) await requireWeights(weights, architecture)
}
