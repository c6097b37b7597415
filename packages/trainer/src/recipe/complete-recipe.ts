import { basename } from 'node:path'
import { recipeDefaults } from './defaults.ts'
import { override } from './override.ts'
import { isRecord } from './record.ts'
import { report } from './recipes/report.ts'
import { storedRecipeSchema, type RecipeInput } from './schema.ts'

/**
 * What a recipe file says, over the defaults where it leaves something out; the name is then that of the file.
 * A complete file, such as the `recipe.json` of a run, is taken as it is: a setting that an earlier release did not know
 * has the value that release worked with. Unknown fields stay, to be refused.
 */
export function completeRecipe(content: unknown, path: string): unknown {
  if (storedRecipeSchema.safeParse(content).success || !isRecord(content)) return content
  return override({ ...recipeDefaults, name: nameOf(path), model: report.model } satisfies RecipeInput, content)
}

const nameOf = (path: string): RecipeInput['name'] =>
  basename(path, '.json')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '') || 'recipe'
