import { threeViews } from '@flowers/shared/image/view'
import type { Recipe } from '../schema.ts'
import { noMix, reportPhases } from '../defaults.ts'
import { garden18Ignore } from './garden18-ignore.ts'
import { headPhase, pretrainedLite, transferAugment, transferDefaults } from './transfer.ts'

/** EfficientNet-Lite2 on 18 garden flowers in full-size photos, ending in FixRes at 576 px; docs/models.md has what it gives. */
export const garden18 = {
  ...transferDefaults,
  name: 'garden18',
  model: pretrainedLite('efficientnet_lite2'),
  data: { ...transferDefaults.data, criterion: 'loss', ignore: garden18Ignore },
  phases: {
    head: { ...headPhase, size: 224, batch: 32 },
    full: {
      ...reportPhases.full,
      epochs: 10,
      size: 288,
      batch: 32,
      learningRate: { backbone: 3e-4, head: 2e-3, schedule: { kind: 'cosine', warmupEpochs: 0.5, minimum: 0.01 } },
      labelSmoothing: 0.1,
      augment: {
        ...transferAugment,
        crop: { ...transferAugment.crop, scale: [0.3, 1] },
        // As often as the views of the service are flipped so.
        verticalFlip: 1 / 3,
      },
      mix: { mixupAlpha: 0.2, cutmixAlpha: 0, probability: 0.5, mixupOffEpoch: null, cutmixOffEpoch: null, late: null },
      ema: { decay: 0.99, power: 0.75 },
      tta: null,
      earlyStopping: null,
    },
    // The head alone, on features computed once of the three flips that the service has views of; classes are drawn equally often.
    fixres: {
      ...reportPhases.fixres,
      epochs: 40,
      size: 576,
      batch: 64,
      trainable: 'head',
      features: 'cached',
      featureViews: [...threeViews],
      learningRate: { backbone: 0, head: 1e-3, schedule: { kind: 'cosine', warmupEpochs: 1, minimum: 0.01 } },
      labelSmoothing: 0.05,
      samplerPower: 0,
      mix: noMix,
      ema: { decay: 0.99, power: 0.75 },
      tta: null,
      earlyStopping: null,
    },
  },
} satisfies Recipe
