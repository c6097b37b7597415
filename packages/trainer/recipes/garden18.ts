import { efficientnetLiteNormalization } from '@flowers/shared/preprocessing'
import type { Recipe } from '../src/recipe.ts'
import { noMix, recipeDefaults, reportPhases, standardAugment } from '../src/recipe.ts'

/** EfficientNet-Lite2 on 18 garden flowers in full-size photos, ending in FixRes at 576 px; docs/models.md has what it gives. */
export const garden18 = {
  ...recipeDefaults,
  name: 'garden18',
  model: {
    architecture: 'efficientnet_lite2',
    head: { kind: 'linear' },
    stochasticDepth: 0.1,
    layerScale: 0,
    weights: 'efficientnet_lite2',
  },
  // Some labels contradict each other.
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
      size: 288,
      batch: 32,
      learningRate: { backbone: 3e-4, head: 2e-3, schedule: { kind: 'cosine', warmupEpochs: 0.5, minimum: 0.01 } },
      labelSmoothing: 0.1,
      augment: {
        ...standardAugment,
        crop: { kind: 'randomResizedCrop', scale: [0.3, 1], ratio: [0.75, 4 / 3] },
        verticalFlip: 0.2,
        rotation: 15,
        color: { brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.02 },
        erasing: { probability: 0.2, area: [0.02, 0.2] },
      },
      mix: { mixupAlpha: 0.2, cutmixAlpha: 0, probability: 0.5, mixupOffEpoch: null, cutmixOffEpoch: null, late: null },
      ema: { decay: 0.99, power: 0.75 },
      tta: null,
      earlyStopping: null,
    },
    // The head alone, on features computed once of each photo and its mirror image; classes are drawn equally often.
    fixres: {
      ...reportPhases.fixres,
      epochs: 40,
      size: 576,
      batch: 64,
      trainable: 'head',
      features: 'cached',
      featureViews: [
        { flip: 'none', scale: 1 },
        { flip: 'horizontal', scale: 1 },
      ],
      learningRate: { backbone: 0, head: 1e-3, schedule: { kind: 'cosine', warmupEpochs: 1, minimum: 0.01 } },
      labelSmoothing: 0.05,
      samplerPower: 0,
      mix: noMix,
      ema: { decay: 0.99, power: 0.75 },
      tta: null,
      earlyStopping: null,
    },
  },
  sweep: { sizes: [320, 384, 448], views: 'one' },
} satisfies Recipe
