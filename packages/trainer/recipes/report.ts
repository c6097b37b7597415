import type { Recipe } from '../src/recipe.ts'
import { recipeDefaults, reportPhases } from '../src/recipe.ts'

/** The report's run: ConvNeXt-Base with its MLP head, three phases, the last at 576 px. Made for a GPU. */
export const report = {
  ...recipeDefaults,
  name: 'report',
  model: {
    architecture: 'convnext_base',
    head: { kind: 'mlp', hidden: 512, dropout: 0.35 },
    stochasticDepth: 0.2,
    layerScale: 1e-6,
    weights: null,
  },
  phases: reportPhases,
} satisfies Recipe
