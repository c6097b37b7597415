import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { recipes } from './recipes/index.ts'
import { testFolder } from '../testing/test-photos.ts'
import { testRecipe } from '../testing/test-recipe.ts'
import { recipeSchema } from './checks.ts'
import { resolveRecipe, takeMinutes } from './resolve-recipe.ts'
import { storedRecipeSchema } from './schema.ts'

it.each(Object.entries(recipes))('the recipe %s leaves nothing out and carries its own name', (name, recipe) => {
  const parsed = recipeSchema.parse(recipe)
  expect(Object.keys(parsed.phases.full).toSorted()).toEqual(Object.keys(recipe.phases.full).toSorted())
  expect(parsed.name).toBe(name)
})

describe('resolveRecipe', () => {
  const phaseFull = async (...settings: string[]) => (await resolveRecipe('step4', settings)).phases.full

  it('scales all of a phase that is a share of it with its epochs', async () => {
    const { learningRate, mix, earlyStopping } = await phaseFull('phases.full.epochs=40')
    // 5, 95 / 7 and 10 of 100 epochs; a patience of 15, 20 epochs in any case.
    expect(learningRate.schedule).toMatchObject({ warmupEpochs: 2, cycleEpochs: 38 / 7 })
    expect(mix.late?.epochs).toBe(4)
    expect(earlyStopping).toMatchObject({ patience: 6, minEpochs: 8 })
  })

  it('takes a share of a person, whatever comes first', async () => {
    const settings = ['phases.full.learningRate.schedule.warmupEpochs=10%', 'phases.full.epochs=30']
    for (const order of [settings, settings.toReversed()])
      expect((await phaseFull(...order)).learningRate.schedule).toMatchObject({ warmupEpochs: 3 })
  })

  it.each(Object.keys(recipes))('makes a recipe of %s with one epoch a phase', async (name) => {
    const one = ['head', 'full', 'fixres'].map((phase) => `phases.${phase}.epochs=1`)
    const { phases } = await resolveRecipe(name, one)
    expect(Object.values(phases).map(({ epochs }) => epochs)).toEqual([1, 1, 1])
  })

  it('puts settings over a recipe', async () => {
    const recipe = await resolveRecipe('demo', [
      'phases.full.epochs=3',
      'phases.full.ema=null',
      'model.architecture=convnext_femto',
    ])
    expect(recipe.phases.full.epochs).toBe(3)
    expect(recipe.phases.full.ema).toBeNull()
    expect(recipe.model.architecture).toBe('convnext_femto')
    expect(recipes['demo']!.phases.full.ema).not.toBeNull()
  })

  it.each([
    ['no-such', [], 'RECIPE_UNKNOWN', 'demo'],
    ['no-such.json', [], 'RECIPE_UNKNOWN', 'no-such.json'],
    ['demo', ['phases.full.epoch=3'], 'RECIPE_SETTING', 'did you mean phases.full.epochs? There are '],
    ['quick', ['minuts=3'], 'RECIPE_SETTING', 'the recipe has no "minuts"; did you mean minutes? There are minutes, '],
    ['quick', ['xyz=3'], 'RECIPE_SETTING', 'the recipe has no "xyz". There are minutes, '],
    ['demo', ['epochs=3'], 'RECIPE_SETTING', 'did you mean phases.head.epochs or phases.full.epochs or '],
    ['demo', ['phases.full.epochs.more=3'], 'RECIPE_SETTING', 'phases.full.epochs.more'],
    ['demo', ['phases.head.mix.late.epochs=3'], 'RECIPE_SETTING', 'phases.head.mix.late is null'],
    ['demo', ['epochs'], 'RECIPE_SETTING', 'path=value'],
    ['demo', ['phases.full.learningRate.schedule.warmupEpochs=soon'], 'RECIPE_INVALID', 'such as "10%" or "5/120"'],
    ['step4', ['phases.full.epochs=3', 'phases.full.mix.late.epochs=10'], 'RECIPE_INVALID', 'mix.late.epochs'],
    [
      'step4',
      ['phases.full.epochs=3', 'phases.full.learningRate.schedule.warmupEpochs=5'],
      'RECIPE_INVALID',
      'at most 3',
    ],
    ['demo', ['phases.full.epochs=many'], 'RECIPE_INVALID', 'epochs'],
    ['demo', ['phases.full.labelSmoothing=1.5'], 'RECIPE_INVALID', 'labelSmoothing'],
    ['demo', ['phases.full.features=cached'], 'RECIPE_INVALID', 'cached features need trainable to be head'],
    ['report', ['phases.full.features=cached'], 'RECIPE_INVALID', 'cached features need mix.probability to be 0'],
    ['demo', ['sweep={"sizes":[300],"views":"one"}'], 'RECIPE_INVALID', 'multiple of 32'],
    ['demo', ['data.ignore=["abc"]'], 'RECIPE_INVALID', 'data.ignore'],
  ])('refuses %s with %j as %s', async (name, settings, code, mention) => {
    await expect(resolveRecipe(name, settings)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(mention) as string,
    })
  })
})

it('a run that was started goes on, whatever has been refused since', async () => {
  const report = testRecipe('report')
  const { full } = report.phases
  const stored = { ...report, phases: { ...report.phases, full: { ...full, batchNorm: 'last' } } }
  const folder = await testFolder({ 'recipe.json': JSON.stringify(stored) })
  try {
    await expect(resolveRecipe(join(folder.path, 'recipe.json'), [])).rejects.toMatchObject({ code: 'RECIPE_INVALID' })
    expect(storedRecipeSchema.parse(stored)).toEqual(stored)
    expect(storedRecipeSchema.safeParse({ ...stored, seed: -1 }).success).toBe(false)
  } finally {
    await folder.remove()
  }
})

describe('minutes', () => {
  it('are taken off the settings of the recipe that is planned', () => {
    expect(takeMinutes('quick', ['seed=2', 'minutes=1', 'minutes=0.5'])).toEqual({ minutes: 0.5, settings: ['seed=2'] })
    expect(takeMinutes('quick', [])).toEqual({ minutes: 20, settings: [] })
    expect(takeMinutes('demo', ['seed=2'])).toEqual({ minutes: null, settings: ['seed=2'] })
  })

  it.each(['demo', 'mine.json', 'constructor'])('are no setting of %s', (name) => {
    expect(() => takeMinutes(name, ['minutes=3'])).toThrow(
      expect.objectContaining({
        code: 'RECIPE_SETTING',
        message: expect.stringMatching(/^minutes belongs to the recipe quick/) as string,
      }),
    )
  })
})
