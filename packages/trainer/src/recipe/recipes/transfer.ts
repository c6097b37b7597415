import { efficientnetLiteNormalization } from '@flowers/shared/image/preprocessing'
import type { Recipe } from '../schema.ts'
import { recipeDefaults, reportPhases, standardAugment } from '../defaults.ts'

// What recipes that fine-tune an EfficientNet-Lite from its ImageNet weights have in common.

/** The network with a linear head, from its weights of the same name. */
export const pretrainedLite = (architecture: 'efficientnet_lite0' | 'efficientnet_lite2') =>
  ({
    architecture,
    head: { kind: 'linear' },
    stochasticDepth: 0.1,
    layerScale: 0,
    weights: architecture,
  }) satisfies Recipe['model']

/** All but name, model and phases. Photos that the audit finds at fault are left out: in flowers102 one is in train and in valid. */
export const transferDefaults = {
  ...recipeDefaults,
  data: { ...recipeDefaults.data, exclude: 'audit' },
  preprocessing: { ...recipeDefaults.preprocessing, ...efficientnetLiteNormalization },
} satisfies Omit<Recipe, 'name' | 'model'>

/** One epoch at a fixed rate, so that a random head does not spoil the pretrained network. */
export const headPhase = {
  ...reportPhases.head,
  epochs: 1,
  learningRate: { backbone: 0, head: 2e-3, schedule: { kind: 'fixed' } },
  earlyStopping: null,
} satisfies Recipe['phases']['head']

export const transferAugment = {
  ...standardAugment,
  crop: { kind: 'randomResizedCrop', scale: [0.35, 1], ratio: [0.75, 4 / 3] },
  rotation: 15,
  color: { brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.02 },
  erasing: { probability: 0.2, area: [0.02, 0.2] },
} satisfies Recipe['phases']['full']['augment']
