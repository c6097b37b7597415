import { efficientnetLiteNormalization } from '@flowers/shared/preprocessing'
import type { Recipe } from '../src/recipe.ts'
import { recipeDefaults, reportPhases, standardAugment } from '../src/recipe.ts'

/** EfficientNet-Lite2 on Oxford Flowers-102, photos of 64 px enlarged to 128, then 192 px. */
export const flowers102 = {
  ...recipeDefaults,
  name: 'flowers102',
  model: {
    architecture: 'efficientnet_lite2',
    head: { kind: 'linear' },
    stochasticDepth: 0.1,
    layerScale: 0,
    weights: 'efficientnet_lite2',
  },
  // One photo of the set is in train and in valid.
  data: { ...recipeDefaults.data, exclude: 'audit' },
  preprocessing: { ...recipeDefaults.preprocessing, ...efficientnetLiteNormalization },
  phases: {
    head: {
      ...reportPhases.head,
      epochs: 1,
      size: 128,
      batch: 64,
      learningRate: { backbone: 0, head: 2e-3, schedule: { kind: 'fixed' } },
      earlyStopping: null,
    },
    full: {
      ...reportPhases.full,
      epochs: 11,
      size: 128,
      batch: 64,
      learningRate: { backbone: 5e-4, head: 2e-3, schedule: { kind: 'cosine', warmupEpochs: 0.5, minimum: 0.01 } },
      labelSmoothing: 0.1,
      augment: {
        ...standardAugment,
        crop: { kind: 'randomResizedCrop', scale: [0.35, 1], ratio: [0.75, 4 / 3] },
        verticalFlip: 0.2,
        rotation: 15,
        color: { brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.02 },
        erasing: { probability: 0.2, area: [0.02, 0.2] },
      },
      mix: {
        mixupAlpha: 0.2,
        cutmixAlpha: 0.5,
        probability: 0.5,
        mixupOffEpoch: null,
        cutmixOffEpoch: null,
        late: { epochs: 3, mixup: 0, cutmix: 0 },
      },
      ema: { decay: 0.995, power: 0.75 },
      tta: null,
      earlyStopping: null,
    },
    fixres: {
      ...reportPhases.fixres,
      epochs: 2,
      size: 192,
      batch: 64,
      learningRate: { backbone: 1e-4, head: 3e-4, schedule: { kind: 'cosine', warmupEpochs: 0, minimum: 0.01 } },
      ema: { decay: 0.995, power: 0.75 },
      tta: null,
      earlyStopping: null,
    },
  },
} satisfies Recipe
