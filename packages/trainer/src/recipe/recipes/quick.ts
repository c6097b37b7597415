import { noMix } from '../defaults.ts'
import { derive } from '../override.ts'
import { transferDefaults } from './transfer.ts'

/**
 * A few hundred photos on a laptop: EfficientNet-Lite0 from its ImageNet weights, three phases. `train --recipe quick`
 * replaces sizes, batch, epochs, rates, smoothing, sampling and average by what suits the photos and the minutes it is
 * given (`src/plan/plan-quick.ts`); the values here are those for photos of 224 px and more, and twenty minutes.
 */
export const quick = derive(transferDefaults, {
  name: 'quick',
  model: { architecture: 'efficientnet_lite0', weights: 'efficientnet_lite0' },
  data: { criterion: 'loss' },
  phases: {
    head: { size: 224, batch: 32 },
    full: {
      size: 224,
      batch: 32,
      // However long the plan: the head that it protects is the same.
      learningRate: { schedule: { warmupEpochs: 0.5 } },
      mix: noMix,
    },
    fixres: { size: 288, batch: 32, learningRate: { backbone: 3e-5, head: 2e-4 } },
  },
})
