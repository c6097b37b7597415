import { describe, expect, it } from 'vitest'
import { recipes } from './recipes/index.ts'
import { testRecipe } from '../testing/test-recipe.ts'
import type { Phase, Recipe } from './schema.ts'
import { buildModel, requireModel } from './network.ts'

const [flowers102, report] = [testRecipe('flowers102'), testRecipe('report')]
const withModel = (recipe: Recipe, model: Partial<Recipe['model']>): Recipe => ({
  ...recipe,
  model: { ...recipe.model, ...model },
})
const withFull = (recipe: Recipe, full: Partial<Phase>): Recipe => ({
  ...recipe,
  phases: { ...recipe.phases, full: { ...recipe.phases.full, ...full } },
})

it.each(Object.keys(recipes))('every recipe has a model: %s', async (name) => {
  await expect(requireModel(testRecipe(name))).resolves.toBeUndefined()
})

it('the model has the classes of the photos', () => {
  const last = buildModel(flowers102, 7).parameters.at(-1)
  expect(last).toMatchObject({ name: 'classifier.bias', shape: [7] })
})

describe('no model is', () => {
  it.each([
    [
      'of an unknown architecture',
      withModel(report, { architecture: 'resnet50' }),
      'MODEL_UNKNOWN_ARCHITECTURE',
      'convnext_base',
    ],
    [
      'with a LayerScale that its family has not',
      withModel(flowers102, { layerScale: 1e-6 }),
      'RECIPE_INVALID',
      'model.layerScale to 0',
    ],
    [
      'from the weights of another',
      withModel(report, { weights: 'convnext_tiny' }),
      'WEIGHTS_ARCHITECTURE',
      'convnext_tiny',
    ],
    [
      'from no weights',
      withModel(report, { weights: '/nowhere.safetensors' }),
      'WEIGHTS_UNKNOWN',
      '/nowhere.safetensors',
    ],
    [
      'with batch normalisations that it has not',
      withFull(report, { batchNorm: 'trained' }),
      'RECIPE_INVALID',
      'phases.full.batchNorm to frozen',
    ],
  ] as const)('%s', async (_, recipe, code, mention) => {
    await expect(requireModel(recipe)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(mention) as string,
    })
  })

  it('refused for a phase that is left out', async () => {
    await expect(requireModel(withFull(report, { batchNorm: 'trained', epochs: 0 }))).resolves.toBeUndefined()
  })
})
