import { noMix, recipeDefaults } from '../defaults.ts'
import { derive } from '../override.ts'

/** Flowers the trainer draws itself; the three phases in about three minutes on two cores. */
export const demo = derive(recipeDefaults, {
  name: 'demo',
  model: {
    architecture: 'convnext_atto',
    head: { kind: 'linear' },
    stochasticDepth: 0.05,
    layerScale: 1e-6,
    weights: null,
  },
  phases: {
    head: { epochs: 1, size: 64, batch: 32, learningRate: { head: 2e-3 }, earlyStopping: null },
    full: {
      epochs: 20,
      size: 64,
      batch: 32,
      learningRate: { backbone: 2e-3, head: 2e-3, schedule: { warmupEpochs: '10%' } },
      augment: { crop: { kind: 'randomResizedCrop', scale: [0.35, 1], ratio: [0.75, 4 / 3] } },
      mix: noMix,
      ema: { decay: 0.99 },
      earlyStopping: { patience: 15, minEpochs: 20 },
    },
    fixres: { epochs: 4, size: 96, batch: 32, learningRate: { backbone: 5e-4, head: 5e-4 }, earlyStopping: null },
  },
})
