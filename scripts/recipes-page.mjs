import { fill, load, table } from './template.mjs'

/** The page on recipes: every setting with its default, and what the steps of the ladder change. */
export async function recipesPage() {
  const { recipeJsonSchema } = await load('packages/trainer/dist/recipe/checks.js')
  const { recipes } = await load('packages/trainer/dist/recipe/recipes/index.js')
  const { ours } = await load('packages/trainer/dist/recipe/recipes/ours.js')
  const { recipeDefaults } = await load('packages/trainer/dist/recipe/defaults.js')
  const defaults = { name: undefined, model: recipes.report.model, ...recipeDefaults }
  const rows = settingsOf(recipeJsonSchema(), defaults).filter(({ path }) => !/^phases\.(head|fixres)\./.test(path))
  return fill('recipes', 'packages/trainer/src/recipe/schema.ts', {
    recipes: Object.keys(recipes)
      .map((name) => `\`${name}\``)
      .join(', '),
    settings: table(
      ['setting', 'default', 'what'],
      rows.map(({ path, value, about }) => [
        `\`${path}\``,
        value === undefined ? '' : `\`${JSON.stringify(value)}\``,
        about,
      ]),
    ),
    steps: stepsTable(recipes, ours),
  })
}

/**
 * A row for each setting that is not the same in all steps of the ladder.
 * @param {Record<string, any>} recipes @param {Record<string, readonly string[]>} ours
 */
function stepsTable(recipes, ours) {
  const names = Object.keys(ours)
  const leaves = names.map((name) => new Map(leavesOf(recipes[name])))
  const paths = [...new Set(leaves.flatMap((each) => [...each.keys()]))].filter((path) => path !== 'name')
  /** @param {string} path @param {number} step */
  const cell = (path, step) => {
    const value = leaves[step]?.get(path)
    if (value === undefined) return ''
    // A value is of the step that was the last to change it.
    let from = step
    while (from > 0 && leaves[from - 1]?.get(path) === value) from--
    const isOurs = (ours[names[from] ?? ''] ?? []).some((prefix) => path === prefix || path.startsWith(`${prefix}.`))
    const shown = path === 'views' ? JSON.parse(value).length : value
    return `\`${shown}\`${isOurs ? '\\*' : ''}`
  }
  const rows = paths
    .map((path) => [`\`${path}\``, ...names.map((_, step) => cell(path, step))])
    .filter((row) => new Set(row.slice(1)).size > 1)
  return table(['setting', ...names], rows)
}

/** Every value that is no object of settings, by its path, as JSON. @param {any} value @param {string} [path] @returns {[string, string][]} */
function leavesOf(value, path = '') {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [[path, JSON.stringify(value)]]
  return Object.entries(value).flatMap(([key, each]) => leavesOf(each, path ? `${path}.${key}` : key))
}

/**
 * The settings of a JSON schema, one a path. @param {any} schema @param {any} value @param {string} [path]
 * @returns {{ path: string, value: unknown, about: string }[]}
 */
function settingsOf(schema, value, path = '') {
  const members = (schema.anyOf ?? schema.oneOf ?? [schema]).filter((/** @type {any} */ each) => each.type === 'object')
  const member = members.find((/** @type {any} */ each) =>
    Object.keys(value ?? {}).every((key) => key in each.properties),
  )
  const own = path && (schema.description || !member) ? [{ path, value, about: schema.description ?? '' }] : []
  if (!member || value === null || Array.isArray(value)) return own
  const below = Object.entries(member.properties).flatMap(([key, each]) =>
    settingsOf(each, value[key], path ? `${path}.${key}` : key),
  )
  return [...own.map((each) => ({ ...each, value: undefined })), ...below]
}
