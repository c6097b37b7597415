import type { Recipe } from '../src/recipe.ts'
import { recipeDefaults, reportPhases } from '../src/recipe.ts'

/**
 * The report's run: ConvNeXt-Base from its ImageNet-1k weights with the MLP head; 12 epochs of the head, 120 of all of it,
 * 30 at 576 px. Made for a GPU.
 */
export const report = {
  ...recipeDefaults,
  name: 'report',
  model: {
    architecture: 'convnext_base',
    head: { kind: 'mlp', hidden: 512, dropout: 0.35 },
    stochasticDepth: 0.2,
    layerScale: 1e-6,
    weights: 'convnext_base',
  },
  phases: {
    ...reportPhases,
    full: { ...reportPhases.full, epochs: 120 },
    fixres: { ...reportPhases.fixres, epochs: 30 },
  },
} satisfies Recipe
