import { oneView, sixViews, threeViews } from '@flowers/shared/image/view'
import { noMix, recipeDefaults, reportPhases, strongAugment } from '../defaults.ts'
import { derive } from '../override.ts'

// The five steps of the contest entry (docs/contest.md), each built on the one before. What it gives no value for is marked "ours".

/**
 * Step 1, 80.1 in the contest: cross-entropy and clipped gradients, everything trained at once at one fixed rate. The
 * optimizer is AdamW without weight decay, which is Adam. Ours: the rate (that of step 2), the augmentation, 100 epochs.
 */
export const step1 = derive(recipeDefaults, {
  name: 'step1',
  model: {
    architecture: 'convnext_base',
    head: { kind: 'mlp', hidden: 512, dropout: 0 },
    stochasticDepth: 0.2,
    layerScale: 1e-6,
    weights: 'convnext_base',
  },
  views: [...oneView],
  precision: 'float32',
  phases: {
    head: { epochs: 0 },
    full: {
      learningRate: { backbone: 1e-4, head: 1e-4, schedule: { kind: 'fixed' } },
      weightDecay: 0,
      labelSmoothing: 0,
      mix: noMix,
      ema: null,
      tta: null,
      earlyStopping: null,
    },
    // The contest entry names phase 3 with step 5 only; step 2 is "two-stage".
    fixres: { epochs: 0 },
  },
})

/**
 * Step 2, 92.5: AdamW, mixed precision where it gains, cosine, dropout, label smoothing, early stopping, the head first (3 to 5 epochs), EMA.
 * The contest entry's rate is 1e-4. Ours: weight decay (PyTorch's default), smoothing (that of the paper; step 4 lowers it).
 */
export const step2 = derive(step1, {
  name: 'step2',
  model: { head: { dropout: 0.35 } },
  precision: 'auto',
  phases: {
    // A head of so few epochs never stops early.
    head: { epochs: 4, weightDecay: 0.01, labelSmoothing: 0.1, earlyStopping: { patience: 5, minEpochs: 3 } },
    full: {
      learningRate: { schedule: { kind: 'cosine', warmupEpochs: 0, minimum: 0.01 } },
      weightDecay: 0.01,
      labelSmoothing: 0.1,
      ema: reportPhases.full.ema,
      earlyStopping: reportPhases.full.earlyStopping,
    },
  },
})

/**
 * Step 3, 95.7: MixUp and CutMix, in the last 10 epochs without CutMix and with weaker MixUp; a lower rate for the
 * backbone than for the head, halved on plateaus; three views. Ours: the alphas (those of the papers), half the photos
 * mixed, what plateaus do.
 */
export const step3 = derive(step2, {
  name: 'step3',
  views: [...threeViews],
  phases: {
    full: {
      learningRate: {
        backbone: 1.5e-5,
        head: 1.2e-4,
        schedule: { kind: 'plateau', warmupEpochs: 0, factor: 0.5, patience: '5%', threshold: 1e-4, minimum: 0.01 },
      },
      mix: { mixupAlpha: 0.2, cutmixAlpha: 1, probability: 0.5, late: { epochs: '10%', mixup: 0.5, cutmix: 0 } },
      tta: reportPhases.full.tta,
    },
  },
})

/**
 * Step 4, 96.6: a warm-up of 5 epochs and cosine with warm restarts; less smoothing, more weight decay, other alphas:
 * the contest entry's final values of all four. Ours: three cycles, each twice as long as the one before.
 */
export const step4 = derive(step3, {
  name: 'step4',
  phases: {
    head: { weightDecay: 0.05, labelSmoothing: 0.05 },
    full: {
      learningRate: {
        // 1 + 2 + 4 first cycles fill the 95 epochs after the warm-up, so that the rate ends at its lowest.
        schedule: { kind: 'restarts', warmupEpochs: '5/100', cycleEpochs: '95/700', growth: 2, minimum: 0.01 },
      },
      weightDecay: 0.05,
      labelSmoothing: 0.05,
      mix: { cutmixAlpha: 0.35 },
    },
  },
})

/**
 * Step 5, 97.5: class weights by the effective number, focal loss with smoothing, classes drawn by the square root of
 * their frequency; strong augmentation and smoothing that fade; larger alphas, switched off later than epochs 20 and 35;
 * 12 + 120 + 30 epochs, the last at 576 px, finished on plateaus; six views. Ours: focal gamma, alphas, the epochs they
 * end at, the ramps, what plateaus do.
 */
export const step5 = derive(step4, {
  name: 'step5',
  views: [...sixViews],
  phases: {
    head: {
      epochs: 12,
      classWeightBeta: 0.9999,
      samplerPower: 0.5,
      earlyStopping: reportPhases.head.earlyStopping,
    },
    full: {
      epochs: 120,
      learningRate: { schedule: { warmupEpochs: '5/120', cycleEpochs: '115/840' } },
      labelSmoothing: { from: 0.05, to: 0 },
      focalGamma: 1,
      classWeightBeta: 0.9999,
      samplerPower: 0.5,
      augment: { ...strongAugment, strength: { from: 1, to: 0.3 } },
      mix: { mixupAlpha: 0.4, cutmixAlpha: 1, mixupOffEpoch: '80/120', cutmixOffEpoch: '60/120', late: null },
      tta: { views: 'six' },
      earlyStopping: { patience: '15/120', minEpochs: '20/120' },
    },
    fixres: {
      epochs: 30,
      learningRate: {
        schedule: { kind: 'plateau', warmupEpochs: 0, factor: 0.5, patience: '3/30', threshold: 1e-5, minimum: 0.01 },
      },
      earlyStopping: { patience: '8/30', minEpochs: '5/30' },
    },
  },
})
