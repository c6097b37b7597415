import type { Recipe } from '../schema.ts'
import { noMix, reportPhases } from '../defaults.ts'
import { headPhase, pretrainedLite, transferAugment, transferDefaults } from './transfer.ts'

/**
 * A few hundred photos on a laptop: EfficientNet-Lite0 from its ImageNet weights, three phases. `train --recipe quick`
 * replaces sizes, batch, epochs, rates, smoothing, sampling and average by what suits the photos and the minutes it is
 * given (`src/budget/plan-quick.ts`); the values here are those for photos of 224 px and more, and twenty minutes.
 */
export const quick = {
  ...transferDefaults,
  name: 'quick',
  model: pretrainedLite('efficientnet_lite0'),
  data: { ...transferDefaults.data, criterion: 'loss' },
  phases: {
    head: { ...headPhase, size: 224, batch: 32 },
    full: {
      ...reportPhases.full,
      epochs: 10,
      size: 224,
      batch: 32,
      learningRate: { backbone: 3e-4, head: 2e-3, schedule: { kind: 'cosine', warmupEpochs: 0.5, minimum: 0.01 } },
      labelSmoothing: 0.1,
      augment: transferAugment,
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
