import type { Recipe } from '../schema.ts'
import { reportPhases } from '../defaults.ts'
import { headPhase, pretrainedLite, transferAugment, transferDefaults } from './transfer.ts'

/** EfficientNet-Lite2 on Oxford Flowers-102, photos of 64 px enlarged to 128, then 192 px. */
export const flowers102 = {
  ...transferDefaults,
  name: 'flowers102',
  model: pretrainedLite('efficientnet_lite2'),
  phases: {
    head: { ...headPhase, size: 128, batch: 64 },
    full: {
      ...reportPhases.full,
      epochs: 18,
      size: 128,
      batch: 64,
      learningRate: { backbone: 5e-4, head: 2e-3, schedule: { kind: 'cosine', warmupEpochs: 0.5, minimum: 0.01 } },
      labelSmoothing: 0.1,
      augment: { ...transferAugment, verticalFlip: 0.2 },
      mix: {
        mixupAlpha: 0.2,
        cutmixAlpha: 0.5,
        probability: 0.5,
        mixupOffEpoch: null,
        cutmixOffEpoch: null,
        late: { epochs: 4, mixup: 0, cutmix: 0 },
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
