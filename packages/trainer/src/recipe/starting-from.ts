import { fromUser } from '../console/paths.ts'
import { findPretrained } from '../model/weights/pretrained.ts'
import type { RecipeInput } from './schema.ts'

/** The recipe with these weights, its own unless said; a file is seen from the folder the person stands in. */
export function startingFrom<R extends RecipeInput>(recipe: R, weights: string | null = recipe.model.weights): R {
  const located = weights === null || findPretrained(weights) ? weights : fromUser(weights)
  return { ...recipe, model: { ...recipe.model, weights: located } }
}
