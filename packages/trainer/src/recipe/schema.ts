import { preprocessingSchema } from '@flowers/shared/image/preprocessing'
import { viewSchema } from '@flowers/shared/image/view'
import { z } from 'zod'
import { duration, settleShares } from './duration.ts'

const share = z.number().min(0).max(1)
/** A share that is never the whole: of what is dropped, something is left. */
const part = z.number().min(0).lt(1)
const rangeOf = (value: z.ZodNumber) =>
  z.tuple([value, value]).refine(([low, high]) => low <= high, { error: 'the first may not be above the second' })
const rangeSchema = rangeOf(z.number().positive())
/** Of a photo's area. */
const areaSchema = rangeOf(z.number().positive().lte(1))

/** One value for the whole phase, or one that moves linearly from its first epoch to its last. */
const rampSchema = z.union([share, z.strictObject({ from: share, to: share })])
export type Ramp = z.infer<typeof rampSchema>

const wholeEpochs = duration(z.int().min(0), Math.round)
const wholeEpochsFromOne = duration(z.int().min(1), (epochs) => Math.max(1, Math.round(epochs)))
const warmupEpochs = duration(z.number().min(0)).describe(
  'Epochs or share in which the rate rises linearly to the top; at most the phase.',
)

/** How the learning rate moves within a phase; the rate itself is the recipe's, per parameter group. */
const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed') }),
  z.strictObject({
    kind: z.literal('cosine'),
    warmupEpochs,
    minimum: share.describe('The rate at the end, as a share of the rate at the top.'),
  }),
  z.strictObject({
    kind: z.literal('restarts'),
    warmupEpochs,
    cycleEpochs: duration(z.number().min(0.01), (epochs) => Math.max(0.01, epochs)).describe(
      'Length of the first cosine cycle, epochs or share; at least a hundredth of an epoch.',
    ),
    growth: z.number().gte(1).describe('Each cycle is this many times as long as the one before.'),
    minimum: share.describe('The rate at the end of a cycle, as a share of the rate at the top.'),
  }),
  z.strictObject({
    kind: z.literal('plateau'),
    warmupEpochs,
    factor: z.number().gt(0).lt(1).describe('What the rate is multiplied with when validation accuracy stands still.'),
    patience: wholeEpochs.describe('Epochs or share without a gain that are waited for.'),
    threshold: z.number().min(0).describe('Smallest gain of accuracy that counts.'),
    minimum: share.describe('The smallest rate, as a share of the rate at the top.'),
  }),
])

/** What is drawn anew for every photo and epoch. Crops are cut at decode time, the rest runs inside the traced step. */
const augmentSchema = z.strictObject({
  strength: rampSchema.describe(
    'Scales rotation, affine, colour, erasing and how far a `randomResizedCrop` is from the whole photo; flips, crops of the other kinds and the `ratio` of crops stay. 1: as written, 0: nothing but what stays.',
  ),
  crop: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('randomResizedCrop'),
      scale: areaSchema.describe('Share of the area that is cut, from and to.'),
      ratio: rangeSchema.describe('Width over height, from and to.'),
    }),
    z.strictObject({ kind: z.literal('resizeRandomCrop'), enlarge: z.number().gte(1) }),
    z.strictObject({ kind: z.literal('center'), cropFraction: z.number().gt(0).lte(1) }),
  ]),
  horizontalFlip: share.describe('Probability.'),
  verticalFlip: share.describe('Probability.'),
  rotation: z.number().min(0).max(180).describe('Largest angle, degrees.'),
  affine: z
    .strictObject({ translate: share, shear: z.number().min(0).max(45), scale: rangeSchema })
    .describe(
      'Largest shift, as a share of the side; largest shear, degrees; scale drawn log-uniformly from the range.',
    ),
  color: z
    .strictObject({ brightness: share, contrast: share, saturation: share, hue: z.number().min(0).max(0.5) })
    .describe(
      'Largest change of brightness, contrast and saturation (factor in [1 - x, 1 + x]) and of hue (turns, 0.5 is half the circle).',
    ),
  erasing: z
    .strictObject({ probability: share, area: areaSchema })
    .describe('Random erasing (Zhong et al. 2017): probability, and the range of the erased share of the area.'),
})
export type AugmentOptions = z.infer<typeof augmentSchema>

/** Knowledge distillation (Hinton, Vinyals, Dean 2015, arXiv:1503.02531). */
const teacherSchema = z.strictObject({
  models: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      'Exported models that know every class of the run, by name or folder; the mean of their probabilities teaches.',
    ),
  temperature: z
    .number()
    .positive()
    .default(2)
    .describe('Softens what teacher and network say to each other; 1: as it is.'),
  share: share.default(0.5).describe('Of the loss that compares with the teacher; the rest compares with the labels.'),
})
export type TeacherOptions = z.output<typeof teacherSchema>

/** MixUp (Zhang et al. 2018) and CutMix (Yun et al. 2019); 0 switches one off, with both on each photo draws one of them. */
const mixSchema = z.strictObject({
  mixupAlpha: z.number().min(0).describe('MixUp: the weight is drawn from Beta(alpha, alpha); 0: off.'),
  cutmixAlpha: z.number().min(0).describe('CutMix, likewise. With both on, each photo draws one of them.'),
  probability: share.describe('Share of photos that are mixed at all.'),
  mixupOffEpoch: wholeEpochs
    .nullable()
    .describe('Epoch of the phase, or share of it, from which MixUp is off, if it comes to it; null: never.'),
  cutmixOffEpoch: wholeEpochs
    .nullable()
    .describe('Epoch of the phase, or share of it, from which CutMix is off, likewise; null: never.'),
  late: z
    .strictObject({
      epochs: wholeEpochsFromOne.describe('How many of the last epochs of the phase, or their share; at most all.'),
      mixup: share.describe('What the alpha of MixUp is multiplied with in them; 0: off.'),
      cutmix: share.describe('The same for CutMix.'),
    })
    .nullable()
    .describe('Weaker mixing at the end; null: none.'),
})

const phaseFields = z.strictObject({
  epochs: z.int().min(0).describe('0 leaves the phase out.'),
  size: z.int().min(8).describe('Side of the training input, pixels.'),
  batch: z.int().min(1).describe('Photos a step.'),
  accumulate: z
    .int()
    .min(1)
    .default(1)
    .describe(
      'Steps whose mean gradient makes one update of the weights: the effect of a batch so many times as large, in the memory of one. Left-over steps of an epoch make an update of their own; rates, decay and averages count updates.',
    ),
  trainable: z.enum(['head', 'all']).describe('`head`: the backbone is frozen.'),
  batchNorm: z
    .enum(['frozen', 'trained', 'last'])
    .default('frozen')
    .describe(
      'Statistics of batch normalisations: `frozen` as they are; `trained` by the batch, with moving averages; `last`: those of the last one alone, whose scale and shift then learn beside the head, at the rate of the backbone (FixRes); for `trainable` head.',
    ),
  features: z
    .enum(['computed', 'cached'])
    .default('computed')
    .describe(
      '`cached`: the frozen backbone computes the features of every photo once a view, and the head trains on those; a view drawn for each photo and epoch takes the place of crop and augmentation. Needs `trainable` head, `batchNorm` frozen and no mixing.',
    ),
  featureViews: z
    .array(viewSchema)
    .min(1)
    .nullable()
    .default(null)
    .describe("The views that `cached` features are computed of, each once; null: the recipe's `views`."),
  learningRate: z.strictObject({
    backbone: z
      .number()
      .min(0)
      .describe('Of everything below the head; 0 where `trainable` is head, unless `batchNorm` is last.'),
    head: z.number().min(0).describe('Of the head.'),
    schedule: scheduleSchema.describe('How both move within the phase.'),
  }),
  weightDecay: z
    .number()
    .min(0)
    .describe('Times the learning rate is what a weight loses a step; biases, norms and LayerScale keep all.'),
  clipNorm: z.number().positive().nullable().describe('Largest global norm of the gradient; null: not clipped.'),
  labelSmoothing: rampSchema.describe('Share of the target spread over all classes.'),
  focalGamma: z.number().min(0).describe('Focal loss: a class term is multiplied with (1 - p)^gamma; 0: off.'),
  classWeightBeta: z
    .number()
    .min(0)
    .lt(1)
    .nullable()
    .describe('Class weights by the effective number of samples with this beta; null: none.'),
  samplerPower: share.describe(
    'Classes are drawn in proportion to (photos of the class)^power; 1: every photo once an epoch.',
  ),
  augment: augmentSchema,
  mix: mixSchema,
  ema: z
    .strictObject({ decay: part, power: z.number().positive() })
    .nullable()
    .describe("Exponential moving average of the weights with timm's warm-up `1 - (1 + step)^-power`; null: none."),
  tta: z
    .strictObject({
      views: z.enum(['three', 'six']).describe('Three flips, or three flips at two scales.'),
      everyEpochs: wholeEpochsFromOne.describe('Epochs or share from one to the next.'),
      lastEpochs: wholeEpochs.describe('How many of the last epochs, or their share, have it in any case.'),
    })
    .nullable()
    .describe(
      'Validation with test-time augmentation beside the plain one, which alone chooses the best epoch; null: never.',
    ),
  earlyStopping: z
    .strictObject({
      // One bad epoch says nothing, however short the phase.
      patience: duration(z.int().min(1), (epochs) => Math.max(2, Math.ceil(epochs))).describe(
        'Epochs or share without a better validation accuracy that end the phase; a share is rounded up, to 2 at least.',
      ),
      minEpochs: wholeEpochs.describe('Epochs or share that are run in any case.'),
      threshold: z.number().min(0).describe('Smallest gain of accuracy that counts.'),
    })
    .nullable()
    .describe('null: every epoch is run.'),
})

/** Parsing makes epochs of shares: they follow `epochs` for as long as a recipe is kept as it was written. */
const phaseSchema = phaseFields.transform((phase) => settleShares(phase, phase.epochs))
export type Phase = z.output<typeof phaseSchema>
export type PhaseInput = z.input<typeof phaseSchema>
export type MixOptions = Phase['mix']

export const phaseNames = ['head', 'full', 'fixres'] as const
export type PhaseName = (typeof phaseNames)[number]

/** The settings of a recipe, each looked at alone: that of a run that was started once, whatever has been refused since. */
export const storedRecipeSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  seed: z.int().min(0).describe('Of the split, the initial weights, the order and everything drawn.'),
  model: z.strictObject({
    architecture: z.string().describe('A name of the registry, such as convnext_tiny.'),
    head: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('linear') }),
      z.strictObject({ kind: z.literal('mlp'), hidden: z.int().min(1), dropout: part }),
    ]),
    stochasticDepth: part.describe('Largest probability of dropping a residual branch; grows with depth.'),
    layerScale: z
      .number()
      .min(0)
      .describe('Initial LayerScale; 0 leaves it out, and is the only value for families that have none.'),
    weights: z
      .string()
      .nullable()
      .describe(
        'Weights to start from: a name of docs/weights.md, fetched when needed, or the path of a safetensors file; null: random.',
      ),
  }),
  data: z.strictObject({
    validShare: z.number().gt(0).lt(1).describe('Share of each class held out where DATA brings no split.'),
    selection: z
      .enum(['half', 'all'])
      .default('all')
      .describe(
        'Validation photos that choose epoch, checkpoint and size. `half` leaves the others to calibration, where there are 200 or more; `all`: every photo does both.',
      ),
    criterion: z
      .enum(['accuracy', 'loss'])
      .default('accuracy')
      .describe(
        'What they choose by; of equals, the other measure decides. With few photos `loss` is the better judge: it sees how sure every answer is, while one photo right or wrong decides between epochs that are equally good. Whichever it is, no phase ends with a lower accuracy than it began with.',
      ),
    minimumSize: z.int().min(1).describe('A photo with a shorter side is reported by the audit.'),
    ignore: z
      .array(z.string().regex(/^[0-9a-f]{64}$/))
      .default([])
      .describe(
        'SHA-256 hashes of training photos that are left out, such as those whose label a person found wrong. Validation photos stay.',
      ),
    exclude: z
      .enum(['nothing', 'audit'])
      .describe(
        '`audit`: what the audit finds unreadable or contradictory is left out and listed; `nothing`: such findings stop the run.',
      ),
  }),
  preprocessing: preprocessingSchema
    .omit({ size: true })
    .describe("How validation and the service cut and scale a photo; the size is the phase's."),
  views: z.array(viewSchema).min(1).describe('Views the exported model is served with, each once.'),
  precision: z
    .enum(['auto', 'float32', 'bfloat16', 'float16'])
    .describe(
      'What matrix products and convolutions are computed in. `float16`: with dynamic loss scaling, for GPUs. `auto`: what the family gains from on this machine; the run says and stores which.',
    ),
  saveMinutes: z.number().positive().describe('Minutes between two states saved within an epoch.'),
  sweep: z
    .strictObject({
      sizes: z
        .array(z.int().positive().multipleOf(32))
        .describe('Pixels, each once; multiples of 32, as networks drop rows and columns at others.'),
      views: z.enum(['one', 'recipe']).describe("What a photo is scored by: the plain view, or the recipe's `views`."),
    })
    .nullable()
    .default(null)
    .describe(
      'After the last phase, the best weights of it and of the phase before are scored on the validation photos at these sizes and at their own; what does best is exported. null: what the phases chose, each at its own size.',
    ),
  teacher: teacherSchema
    .nullable()
    .default(null)
    .describe(
      'Distillation: beside the label each training photo has the probabilities of these models as its target. They are computed once, before the first phase. null: none.',
    ),
  logitAdjustment: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'Tau of post-hoc logit adjustment: at export, tau times the log of the effective class prior of training (by sampler and class weights; the focal loss is not counted) is taken off the logits. 0: none; 1: as for balanced classes.',
    ),
  phases: z.strictObject({ head: phaseSchema, full: phaseSchema, fixres: phaseSchema }),
})
export type Recipe = z.output<typeof storedRecipeSchema>
/** A recipe as it is written: a length within a phase may be a share of it, and what has a default may be missing. */
export type RecipeInput = z.input<typeof storedRecipeSchema>
