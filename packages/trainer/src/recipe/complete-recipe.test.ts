import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { recipeDefaults, testRecipe } from '../testing/test-recipe.ts'
import type { Recipe } from './schema.ts'
import { resolveRecipe } from './resolve-recipe.ts'

const report = testRecipe('report')
/** As docs/recipes.md has them. */
const defaults = { name: 'my-roses', model: report.model, ...recipeDefaults } satisfies Recipe
let folder: Awaited<ReturnType<typeof testFolder>>

beforeAll(async () => {
  folder = await testFolder({})
})
afterAll(() => folder.remove())

async function resolve(content: unknown, settings: readonly string[] = [], name = 'My roses.json'): Promise<Recipe> {
  await folder.write(name, JSON.stringify(content))
  return resolveRecipe(join(folder.path, name), settings)
}

describe('a recipe file', () => {
  it('is the defaults, under its own name, where it says nothing', async () => {
    expect(await resolve({})).toEqual(defaults)
  })

  it('changes what it says alone, however deep', async () => {
    const { full } = defaults.phases
    const schedule = { kind: 'cosine', warmupEpochs: 1, minimum: 0 }
    const recipe = await resolve({
      name: 'roses',
      seed: 7,
      views: defaults.views.slice(0, 1),
      phases: { full: { ema: { decay: 0.9 }, tta: null, learningRate: { schedule } } },
    })
    expect(recipe).toEqual({
      ...defaults,
      name: 'roses',
      seed: 7,
      views: defaults.views.slice(0, 1),
      phases: {
        ...defaults.phases,
        full: {
          ...full,
          ema: { ...full.ema, decay: 0.9 },
          tta: null,
          learningRate: { ...full.learningRate, schedule },
        },
      },
    })
  })

  it('takes an object of another kind whole', async () => {
    const { model, phases } = await resolve({
      model: { head: { kind: 'linear' } },
      phases: { full: { learningRate: { schedule: { kind: 'fixed' } } } },
    })
    expect(model.head).toEqual({ kind: 'linear' })
    expect(phases.full.learningRate.schedule).toEqual({ kind: 'fixed' })
  })

  it('scales the default warm-up with its own epochs', async () => {
    const { phases } = await resolve({ phases: { full: { epochs: 3 } } })
    expect(phases.full.learningRate.schedule).toMatchObject({ warmupEpochs: 0.15 })
  })

  it('has settings put over it', async () => {
    expect((await resolve({ seed: 7 }, ['seed=8'])).seed).toBe(8)
  })

  it.each([
    [{ sead: 7 }, 'sead'],
    [{ phases: { full: { epoch: 3 } } }, 'epoch'],
    [{ phases: { last: {} } }, 'last'],
    [{ seed: 'x' }, 'seed'],
    [['seed'], 'object'],
    ['seed', 'object'],
  ])('is refused for %j', async (content, mention) => {
    await expect(resolve(content)).rejects.toMatchObject({
      code: 'RECIPE_INVALID',
      message: expect.stringContaining(mention) as string,
    })
  })

  it('that stands by itself means what it meant when it was written', async () => {
    const { selection: _, ...data } = report.data
    // The default of a release that did not know the setting, not that of this one.
    expect((await resolve({ ...report, data })).data.selection).toBe('all')
    expect(report.data.selection).toBe('half')
  })
})
