import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { recipes } from './recipes/index.ts'
import { testFolder } from '../testing/test-photos.ts'
import { recipeSchema } from './checks.ts'
import type { Recipe } from './schema.ts'
import { readStoredRecipe, resolveRecipe } from './resolve-recipe.ts'

it.each(Object.entries(recipes))('the recipe %s fits the schema and carries its own name', (name, recipe) => {
  expect(recipeSchema.parse(recipe)).toEqual(recipe)
  expect(recipe.name).toBe(name)
})

const silent = (): void => {}

describe('resolveRecipe', () => {
  it('puts settings over a recipe', async () => {
    const recipe = await resolveRecipe(
      'demo',
      ['phases.full.epochs=3', 'phases.full.ema=null', 'model.architecture=convnext_femto'],
      silent,
    )
    expect(recipe.phases.full.epochs).toBe(3)
    expect(recipe.phases.full.ema).toBeNull()
    expect(recipe.model.architecture).toBe('convnext_femto')
    expect(recipes['demo']!.phases.full.ema).not.toBeNull()
  })

  it.each([
    ['no-such', [], 'RECIPE_UNKNOWN', 'demo'],
    ['no-such.json', [], 'RECIPE_UNKNOWN', 'no-such.json'],
    ['demo', ['phases.full.epoch=3'], 'RECIPE_SETTING', 'epochs'],
    ['demo', ['phases.full.epochs.more=3'], 'RECIPE_SETTING', 'phases.full.epochs.more'],
    ['demo', ['phases.head.mix.late.epochs=3'], 'RECIPE_SETTING', 'phases.head.mix.late is null'],
    ['demo', ['epochs'], 'RECIPE_SETTING', 'path=value'],
    ['demo', ['phases.full.epochs=many'], 'RECIPE_INVALID', 'epochs'],
    ['demo', ['phases.full.labelSmoothing=1.5'], 'RECIPE_INVALID', 'labelSmoothing'],
    ['demo', ['phases.full.features=cached'], 'RECIPE_INVALID', 'cached features need trainable to be head'],
    ['report', ['phases.full.features=cached'], 'RECIPE_INVALID', 'cached features need mix.probability to be 0'],
    ['demo', ['sweep={"sizes":[300],"views":"one"}'], 'RECIPE_INVALID', 'multiple of 32'],
    ['demo', ['data.ignore=["abc"]'], 'RECIPE_INVALID', 'data.ignore'],
  ])('refuses %s with %j as %s', async (name, settings, code, mention) => {
    await expect(resolveRecipe(name, settings, silent)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(mention) as string,
    })
  })
})

it('a run that was started goes on, whatever has been refused since', async () => {
  const { report } = recipes as { report: Recipe }
  const { full } = report.phases
  const stored = { ...report, phases: { ...report.phases, full: { ...full, batchNorm: 'last' } } }
  const folder = await testFolder({ 'recipe.json': JSON.stringify(stored) })
  const path = join(folder.path, 'recipe.json')
  try {
    await expect(resolveRecipe(path, [], silent)).rejects.toMatchObject({ code: 'RECIPE_INVALID' })
    expect(await readStoredRecipe(path)).toEqual(stored)
    await folder.write('recipe.json', JSON.stringify({ ...stored, seed: -1 }))
    await expect(readStoredRecipe(path)).rejects.toMatchObject({ code: 'RECIPE_INVALID' })
  } finally {
    await folder.remove()
  }
})
