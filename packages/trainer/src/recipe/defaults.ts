import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import { sixViews } from '@flowers/shared/image/view'
import type { AugmentOptions, MixOptions, PhaseInput, RecipeInput } from './schema.ts'

/** The contest entry's standard augmentation: Resize, RandomCrop, flip, rotation by 12 degrees, colour; fixed. */
export const standardAugment = {
  strength: 1,
  crop: { kind: 'resizeRandomCrop', enlarge: 1.143 },
  horizontalFlip: 0.5,
  verticalFlip: 0,
  rotation: 12,
  affine: { translate: 0, shear: 0, scale: [1, 1] },
  color: { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.02 },
  erasing: { probability: 0, area: [0.02, 0.2] },
} satisfies AugmentOptions

/** The contest entry's strong augmentation; `strength` makes it progressive. The entry gives no values: these are ours. */
export const strongAugment = {
  strength: 1,
  crop: { kind: 'randomResizedCrop', scale: [0.35, 1], ratio: [0.75, 4 / 3] },
  horizontalFlip: 0.5,
  verticalFlip: 0.2,
  rotation: 25,
  affine: { translate: 0.08, shear: 8, scale: [0.9, 1.1] },
  color: { brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.03 },
  erasing: { probability: 0.25, area: [0.02, 0.2] },
} satisfies AugmentOptions

export const noMix = {
  mixupAlpha: 0,
  cutmixAlpha: 0,
  probability: 0,
  mixupOffEpoch: null,
  cutmixOffEpoch: null,
  late: null,
} satisfies MixOptions

const everyPhase = {
  size: 384,
  batch: 16,
  accumulate: 1,
  trainable: 'all',
  batchNorm: 'frozen',
  features: 'computed',
  featureViews: null,
  weightDecay: 0.05,
  clipNorm: 1,
  labelSmoothing: 0.05,
  focalGamma: 0,
  classWeightBeta: null,
  samplerPower: 1,
  augment: standardAugment,
  mix: noMix,
  ema: null,
  tta: null,
} satisfies Partial<PhaseInput>

/** The contest entry's three phases at its values; a recipe overrides what differs. */
export const reportPhases = {
  head: {
    ...everyPhase,
    epochs: 12,
    trainable: 'head',
    learningRate: { backbone: 0, head: 1.2e-4, schedule: { kind: 'fixed' } },
    earlyStopping: { patience: '5/12', minEpochs: '25%', threshold: 1e-4 },
  },
  full: {
    ...everyPhase,
    epochs: 100,
    learningRate: {
      backbone: 1.5e-5,
      head: 1.2e-4,
      schedule: { kind: 'cosine', warmupEpochs: '5%', minimum: 0.01 },
    },
    mix: { ...noMix, mixupAlpha: 0.2, cutmixAlpha: 0.35, probability: 1, mixupOffEpoch: '35%', cutmixOffEpoch: '20%' },
    ema: { decay: 0.99995, power: 0.75 },
    tta: { views: 'three', everyEpochs: 10, lastEpochs: 5 },
    earlyStopping: { patience: '15%', minEpochs: '20%', threshold: 1e-5 },
  },
  fixres: {
    ...everyPhase,
    epochs: 25,
    size: 576,
    batch: 8,
    learningRate: {
      backbone: 1.5e-6,
      head: 1.2e-5,
      schedule: { kind: 'cosine', warmupEpochs: 0, minimum: 0.01 },
    },
    labelSmoothing: 0,
    augment: { ...standardAugment, rotation: 0, color: { brightness: 0, contrast: 0, saturation: 0, hue: 0 } },
    tta: { views: 'six', everyEpochs: 10, lastEpochs: 1 },
    earlyStopping: { patience: '8/25', minEpochs: '20%', threshold: 1e-5 },
  },
} satisfies RecipeInput['phases']

/** What every recipe shares unless it says otherwise. */
export const recipeDefaults = {
  seed: 1,
  data: { validShare: 0.15, selection: 'half', criterion: 'accuracy', minimumSize: 32, ignore: [], exclude: 'nothing' },
  preprocessing: { cropFraction: 1, kernel: 'bicubic', ...imagenetNormalization },
  views: [...sixViews],
  precision: 'auto',
  saveMinutes: 5,
  sweep: null,
  teacher: null,
  logitAdjustment: 0,
  phases: reportPhases,
} satisfies Omit<RecipeInput, 'name' | 'model'>
