import { expect, it } from 'vitest'
import { testRecipe } from '../testing/test-recipe.ts'
import type { Recipe } from './schema.ts'
import { resolvePrecision } from './precision.ts'

const recipe = (architecture: string, precision: Recipe['precision']): Recipe => ({
  ...testRecipe('demo'),
  precision,
  model: { ...testRecipe('demo').model, architecture },
})

it.each([
  ['convnext_atto', 'auto', 'cpu', true, 'bfloat16'],
  ['convnext_atto', 'auto', 'cpu', false, 'float32'],
  ['efficientnet_lite0', 'auto', 'cpu', true, 'float32'],
  ['convnext_base', 'auto', 'gpu', true, 'float16'],
  ['efficientnet_lite0', 'auto', 'gpu', true, 'float16'],
  ['convnext_atto', 'float32', 'gpu', true, 'float32'],
  ['efficientnet_lite0', 'bfloat16', 'cpu', false, 'bfloat16'],
] as const)('%s with %s on a %s with bfloat16 %s runs in %s', (architecture, asked, device, bfloat16, expected) => {
  expect(resolvePrecision(recipe(architecture, asked), device, bfloat16).precision).toBe(expected)
})
