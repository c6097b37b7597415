import { basename } from 'node:path'
import { report } from './recipes/report.ts'
import { storedRecipeSchema } from './schema.ts'
import { recipeDefaults } from './defaults.ts'
import type { Recipe } from './schema.ts'
import { isRecord } from './record.ts'
import type { Fields } from './record.ts'
import { shortenPhases } from './shorten-phases.ts'

/**
 * What a recipe file says, over the defaults where it leaves something out; the name is then that of the file.
 * One that stands by itself, such as the `recipe.json` of a run, is taken as it is: what a run of an earlier release did
 * not say has not changed since. Unknown fields stay, to be refused. `log` is told what was shortened with a phase.
 */
export function completeRecipe(content: unknown, path: string, log: (line: string) => void): unknown {
  if (storedRecipeSchema.safeParse(content).success || !isRecord(content)) return content
  const defaults = { ...recipeDefaults, name: nameOf(path), model: report.model } satisfies Recipe
  const complete = over(defaults, content)
  const parsed = storedRecipeSchema.safeParse(complete)
  if (!parsed.success) return complete
  return shortenPhases(parsed.data, { before: defaults, paths: pathsIn(content), log })
}

/** Field by field; lists are taken whole, and what is of another kind, as it has other fields. */
function over(base: unknown, change: unknown): unknown {
  if (!isRecord(base) || !isRecord(change)) return change
  if (change['kind'] !== undefined && change['kind'] !== base['kind']) return change
  const merged = Object.entries(change).map(([key, value]) => [key, over(base[key], value)] as const)
  return { ...base, ...Object.fromEntries(merged) }
}

const nameOf = (path: string): Recipe['name'] =>
  basename(path, '.json')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '') || 'recipe'

/** Dotted, of everything that is no record. */
const pathsIn = (content: Fields): string[] =>
  Object.entries(content).flatMap(([key, value]) =>
    isRecord(value) ? pathsIn(value).map((path) => `${key}.${path}`) : [key],
  )
