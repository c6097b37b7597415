import { applySettings, parseRecipe } from '../../recipe/resolve-recipe.ts'
import { startingFrom } from '../../recipe/starting-from.ts'
import type { Recipe, RecipeInput } from '../../recipe/schema.ts'
import { withinBudget } from './budget.ts'
import type { LadderPlan } from './ladder.ts'

/** What a step of a plan is run as on so many training photos. Throws RECIPE_SETTING and RECIPE_INVALID. */
export const stepRecipe = (step: RecipeInput, plan: LadderPlan, photos: number): Recipe =>
  startingFrom(parseRecipe(applySettings(withinBudget(step, { ...plan, photos }), plan.settings)))
