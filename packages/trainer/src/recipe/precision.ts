import { findArchitecture } from '../model/registry.ts'
import type { Recipe } from './schema.ts'
import { hasBfloat16, type Precision } from '@flowers/tensorflow/precision'

/** A recipe with nothing left to choose: what a run stores. */
export type ResolvedRecipe = Recipe & { readonly precision: Precision }

/** Precision `auto` becomes what the family is fastest with on this machine; any other stays. */
export function resolvePrecision(
  recipe: Recipe,
  device: 'cpu' | 'gpu',
  bfloat16: boolean = hasBfloat16(device),
): ResolvedRecipe {
  if (recipe.precision !== 'auto') return { ...recipe, precision: recipe.precision }
  const fastest = findArchitecture(recipe.model.architecture).fastest[device]
  return { ...recipe, precision: fastest === 'bfloat16' && !bfloat16 ? 'float32' : fastest }
}
