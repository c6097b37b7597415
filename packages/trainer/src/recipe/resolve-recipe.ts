import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { recipes } from './recipes/index.ts'
import type { Recipe, RecipeInput } from './schema.ts'
import { recipeSchema } from './checks.ts'
import { completeRecipe } from './complete-recipe.ts'
import { fromUser } from '../console/paths.ts'
import { nearestPaths, pathsOf } from './nearest.ts'
import { isRecord } from './record.ts'
import { TrainerError } from '../errors.ts'

/**
 * A recipe by name, or from a JSON file, by `completeRecipe`; then what `based` changes, then each `path=value` put over
 * it, and the whole checked. Throws RECIPE_UNKNOWN, RECIPE_SETTING and RECIPE_INVALID.
 */
export async function resolveRecipe(
  nameOrFile: string,
  settings: readonly string[],
  based: (recipe: RecipeInput) => RecipeInput = (recipe) => recipe,
): Promise<Recipe> {
  const base = Object.hasOwn(recipes, nameOrFile)
    ? recipes[nameOrFile]
    : completeRecipe(await readRecipeFile(nameOrFile), nameOrFile)
  return parseRecipe(putOver(based(base as RecipeInput), settings), nameOrFile)
}

/**
 * A recipe with each `path=value` put over it, checked but with its shares as they are. Throws RECIPE_SETTING and
 * RECIPE_INVALID.
 */
export function applySettings(base: RecipeInput, settings: readonly string[]): RecipeInput {
  const changed = putOver(base, settings) as RecipeInput
  parseRecipe(changed)
  return changed
}

/** A recipe with epochs for shares. Throws RECIPE_INVALID, under the recipe's own name unless another is given. */
export const parseRecipe = (recipe: unknown, name = (recipe as RecipeInput).name): Recipe =>
  check(recipeSchema, recipe, name)

const putOver = (base: unknown, settings: readonly string[]): unknown => settings.reduce(applySetting, base)

function check(schema: z.ZodType<Recipe>, recipe: unknown, name: string): Recipe {
  const parsed = schema.safeParse(recipe)
  if (parsed.success) return parsed.data
  throw new TrainerError(
    'RECIPE_INVALID',
    `the recipe "${name}" does not hold together:\n${z.prettifyError(parsed.error)}`,
  )
}

async function readRecipeFile(path: string): Promise<unknown> {
  const known = Object.keys(recipes).join(', ')
  if (!path.endsWith('.json'))
    throw new TrainerError('RECIPE_UNKNOWN', `there is no recipe "${path}"; known: ${known}, or a .json file`)
  const text = await readFile(fromUser(path), 'utf8').catch((cause: unknown) => {
    throw new TrainerError('RECIPE_UNKNOWN', `cannot read the recipe ${path}; known by name: ${known}`, { cause })
  })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TrainerError('RECIPE_INVALID', `${path} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

/** Recipes that are planned for the photos and a time, and the minutes they take unless `--set minutes=` says otherwise. */
const plannedMinutes: Readonly<Record<string, number>> = { quick: 20 }

/** Whether the recipe of a name is planned for the minutes there are. */
export const isPlanned = (name: string): boolean => Object.hasOwn(plannedMinutes, name)

const planned = Object.keys(plannedMinutes).join(', ')

/** Splits `minutes=` off the settings of a recipe that is planned; null for one that is not. Throws RECIPE_SETTING. */
export function takeMinutes(
  name: string,
  settings: readonly string[],
): { minutes: number | null; settings: readonly string[] } {
  const isMinutes = (setting: string): boolean => setting.startsWith('minutes=')
  const text = settings.findLast(isMinutes)?.slice('minutes='.length)
  if (!isPlanned(name)) {
    if (text === undefined) return { minutes: null, settings }
    throw new TrainerError(
      'RECIPE_SETTING',
      `minutes belongs to the recipe ${planned}, which is planned for a time; ${name} says how long it is by its epochs, such as phases.full.epochs`,
    )
  }
  const minutes = text === undefined ? plannedMinutes[name]! : Number(text)
  if (!Number.isFinite(minutes) || minutes <= 0)
    throw new TrainerError('RECIPE_SETTING', `minutes takes a number above 0, such as 20, not "${text}"`)
  return { minutes, settings: settings.filter((setting) => !isMinutes(setting)) }
}

/** Sets one dotted path of the recipe. The value is read as JSON, or as text where it is none. Throws RECIPE_SETTING for a path that is not there. */
function applySetting(recipe: unknown, setting: string): unknown {
  const split = setting.indexOf('=')
  if (split < 1) throw new TrainerError('RECIPE_SETTING', `"${setting}" is not of the form path=value`)
  const path = setting.slice(0, split)
  const keys = path.split('.')
  const set = (node: unknown, depth: number): unknown => {
    const key = keys[depth]
    if (key === undefined) return parseValue(setting.slice(split + 1))
    if (!isRecord(node) || !Object.hasOwn(node, key)) throw noSuchSetting(recipe, path, keys.slice(0, depth + 1), node)
    return { ...node, [key]: set(node[key], depth + 1) }
  }
  return set(recipe, 0)
}

/** `found` is what the recipe has in the place of all `keys` but the last, which it lacks. */
function noSuchSetting(recipe: unknown, path: string, keys: readonly string[], found: unknown): TrainerError {
  const above = keys.slice(0, -1).join('.')
  // `minutes` is taken off before a recipe sees the settings.
  const special = isRecord(recipe) && isPlanned(String(recipe['name'])) ? ['minutes'] : []
  const nearest = nearestPaths(path, [...special, ...pathsOf(recipe)])
  const meant = nearest.length === 0 ? '' : `; did you mean ${nearest.join(' or ')}?`
  const options = isRecord(found)
    ? `${meant || '.'} There are ${[...(above === '' ? special : []), ...Object.keys(found)].join(', ')}`
    : found === null
      ? `, as ${above} is null: set all of it, as JSON, such as --set '${above}={...}'`
      : `, as ${above} is ${JSON.stringify(found)}`
  return new TrainerError('RECIPE_SETTING', `the recipe has no "${keys.join('.')}"${options}`)
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
