import type { Recipe } from '../schema.ts'
import { noMix, recipeDefaults, reportPhases, standardAugment } from '../defaults.ts'

/** Flowers the trainer draws itself; the three phases in about three minutes on two cores. */
export const demo = {
  ...recipeDefaults,
  name: 'demo',
  model: {
    architecture: 'convnext_atto',
    head: { kind: 'linear' },
    stochasticDepth: 0.05,
    layerScale: 1e-6,
    weights: null,
  },
  phases: {
    head: {
      ...reportPhases.head,
      epochs: 1,
      size: 64,
      batch: 32,
      learningRate: { backbone: 0, head: 2e-3, schedule: { kind: 'fixed' } },
      earlyStopping: null,
    },
    full: {
      ...reportPhases.full,
      epochs: 20,
      size: 64,
      batch: 32,
      learningRate: { backbone: 2e-3, head: 2e-3, schedule: { kind: 'cosine', warmupEpochs: 2, minimum: 0.01 } },
      augment: { ...standardAugment, crop: { kind: 'randomResizedCrop', scale: [0.35, 1], ratio: [0.75, 4 / 3] } },
      mix: noMix,
      ema: { decay: 0.99, power: 0.75 },
    },
    fixres: {
      ...reportPhases.fixres,
      epochs: 4,
      size: 96,
      batch: 32,
      learningRate: { backbone: 5e-4, head: 5e-4, schedule: { kind: 'cosine', warmupEpochs: 0, minimum: 0.01 } },
      earlyStopping: null,
    },
  },
} satisfies Recipe
