import { efficientnetLiteNormalization } from '@flowers/shared/image/preprocessing'
import { recipeDefaults } from '../defaults.ts'
import { derive } from '../override.ts'

/**
 * What recipes have in common that fine-tune an EfficientNet-Lite from its ImageNet weights. Photos that the audit finds
 * at fault are left out: in flowers102 one is in train and in valid.
 */
export const transferDefaults = derive(recipeDefaults, {
  model: {
    architecture: 'efficientnet_lite2',
    head: { kind: 'linear' },
    stochasticDepth: 0.1,
    layerScale: 0,
    weights: 'efficientnet_lite2',
  },
  data: { exclude: 'audit' },
  preprocessing: efficientnetLiteNormalization,
  phases: {
    // One epoch at a fixed rate, so that a random head does not spoil the pretrained network.
    head: { epochs: 1, learningRate: { head: 2e-3 }, earlyStopping: null },
    full: {
      epochs: 10,
      learningRate: { backbone: 3e-4, head: 2e-3 },
      labelSmoothing: 0.1,
      augment: {
        crop: { kind: 'randomResizedCrop', scale: [0.35, 1], ratio: [0.75, 4 / 3] },
        rotation: 15,
        color: { brightness: 0.3, contrast: 0.3, saturation: 0.3 },
        erasing: { probability: 0.2 },
      },
      mix: { cutmixAlpha: 0, probability: 0.5, mixupOffEpoch: null, cutmixOffEpoch: null },
      ema: { decay: 0.99 },
      tta: null,
      earlyStopping: null,
    },
    fixres: { epochs: 2, ema: { decay: 0.99, power: 0.75 }, tta: null, earlyStopping: null },
  },
})
