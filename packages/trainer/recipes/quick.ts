import { efficientnetLiteNormalization } from '@flowers/shared/preprocessing'
import type { Recipe } from '../src/recipe.ts'
import { noMix, recipeDefaults, reportPhases, standardAugment } from '../src/recipe.ts'

/**
 * A few hundred photos on a laptop: EfficientNet-Lite0 from its ImageNet weights, three phases. `train --recipe quick`
 * replaces sizes, batch, epochs, rates, smoothing, sampling and average by what suits the photos and the minutes it is
 * given (`src/budget/plan-quick.ts`); the values here are those for photos of 224 px and more, and twenty minutes.
 */
export const quick = {
  ...recipeDefaults,
  name: 'quick',
  model: {
    architecture: 'efficientnet_lite0',
    head: { kind: 'linear' },
    stochasticDepth: 0.1,
    layerScale: 0,
    weights: 'efficientnet_lite0',
  },
  data: { ...recipeDefaults.data, exclude: 'audit' },
  preprocessing: { ...recipeDefaults.preprocessing, ...efficientnetLiteNormalization },
  phases: {
    head: {
      ...reportPhases.head,
      epochs: 1,
      size: 224,
      batch: 32,
      learningRate: { backbone: 0, head: 2e-3, schedule: { kind: 'fixed' } },
      earlyStopping: null,
    },
    full: {
      ...reportPhases.full,
      epochs: 10,
      size: 224,
      batch: 32,
      learningRate: { backbone: 3e-4, head: 2e-3, schedule: { kind: 'cosine', warmupEpochs: 0.5, minimum: 0.01 } },
      labelSmoothing: 0.1,
      augment: {
        ...standardAugment,
        crop: { kind: 'randomResizedCrop', scale: [0.35, 1], ratio: [0.75, 4 / 3] },
        rotation: 15,
        color: { brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.02 },
        erasing: { probability: 0.2, area: [0.02, 0.2] },
      },
      mix: noMix,
      ema: { decay: 0.99, power: 0.75 },
      tta: null,
      earlyStopping: null,
    },
    fixres: {
      ...reportPhases.fixres,
      epochs: 2,
      size: 288,
      batch: 32,
      learningRate: { backbone: 3e-5, head: 2e-4, schedule: { kind: 'cosine', warmupEpochs: 0, minimum: 0.01 } },
      ema: { decay: 0.99, power: 0.75 },
      tta: null,
      earlyStopping: null,
    },
  },
} satisfies Recipe
