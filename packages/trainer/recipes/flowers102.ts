import type { Recipe } from '../src/recipe.ts'
import { recipeDefaults, reportPhases, standardAugment } from '../src/recipe.ts'

/**
 * ConvNeXt-Atto from scratch on Oxford Flowers-102, photos of 64 px (6,551 training, 818 validation), seed 1: 70.0 % of the
 * validation photos right at 64 px after phase full, 72.7 % at 80 px after fixres with one view, 75.9 % with six. 140 and 8
 * epochs: 80 minutes, 97 CPU minutes, on two cores that other work shared. The result is `models/flowers102/1`.
 */
export const flowers102 = {
  ...recipeDefaults,
  name: 'flowers102',
  model: {
    architecture: 'convnext_atto',
    head: { kind: 'linear' },
    stochasticDepth: 0.1,
    layerScale: 1e-6,
    weights: null,
  },
  // One photo of the set is in train and in valid.
  data: { ...recipeDefaults.data, exclude: 'audit' },
  phases: {
    head: { ...reportPhases.head, epochs: 0 },
    full: {
      ...reportPhases.full,
      epochs: 140,
      size: 64,
      batch: 64,
      learningRate: { backbone: 1.5e-3, head: 1.5e-3, schedule: { kind: 'cosine', warmupEpochs: 8, minimum: 0.001 } },
      weightDecay: 0.05,
      labelSmoothing: 0.1,
      augment: {
        ...standardAugment,
        crop: { kind: 'randomResizedCrop', scale: [0.35, 1], ratio: [0.75, 4 / 3] },
        rotation: 15,
        color: { brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.02 },
        erasing: { probability: 0.2, area: [0.02, 0.2] },
      },
      mix: { mixupAlpha: 0.4, cutmixAlpha: 1, probability: 0.8, mixupOffEpoch: null, cutmixOffEpoch: null, late: null },
      ema: { decay: 0.999, power: 0.75 },
      earlyStopping: null,
    },
    fixres: {
      ...reportPhases.fixres,
      epochs: 8,
      size: 80,
      batch: 64,
      learningRate: { backbone: 1e-4, head: 1e-4, schedule: { kind: 'cosine', warmupEpochs: 0, minimum: 0.01 } },
      augment: {
        ...reportPhases.fixres.augment,
        crop: { kind: 'resizeRandomCrop', enlarge: 1.1 },
      },
      ema: { decay: 0.999, power: 0.75 },
      earlyStopping: null,
    },
  },
} satisfies Recipe
