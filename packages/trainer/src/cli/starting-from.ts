import { findPretrained } from '../model/weights/pretrained.ts'
import type { Recipe } from '../recipe/schema.ts'
import { fromUser } from '../console/paths.ts'

/** The recipe with these weights, its own unless said; a file is seen from the folder the person stands in. */
export function startingFrom(recipe: Recipe, weights: string | null = recipe.model.weights): Recipe {
  const located = weights === null || findPretrained(weights) ? weights : fromUser(weights)
  return { ...recipe, model: { ...recipe.model, weights: located } }
}
