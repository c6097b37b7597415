import * as written from '../recipe/defaults.ts'
import { recipes } from '../recipe/recipes/index.ts'
import { storedRecipeSchema, type Recipe } from '../recipe/schema.ts'

// Recipes as a run works with them: with epochs for shares.

export const testRecipe = (name: string): Recipe => storedRecipeSchema.parse(recipes[name])

export const reportPhases = storedRecipeSchema.shape.phases.parse(written.reportPhases)
export const recipeDefaults = { ...written.recipeDefaults, phases: reportPhases }
