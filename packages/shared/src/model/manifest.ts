import { z } from 'zod'
import { preprocessingSchema } from '../image/preprocessing.ts'
import { viewPolicies } from './views.ts'
import { viewSchema } from '../image/view.ts'

/** The format that this release writes and reads. */
export const manifestFormat = 1

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** A measured share in [0, 1] with its 95 % interval and the number of photos it stands on. */
const measuredShareSchema = z.strictObject({
  value: z.number(),
  low: z.number(),
  high: z.number(),
  count: z.int().positive(),
})

/** How often pictures are refused as none of the classes: photos of them, other pictures by group, and drawn ones. */
const refusalsSchema = z.strictObject({
  own: measuredShareSchema,
  /** By group of the photos of others (a folder of them, as `things`); every species measured by weights that never saw it. */
  others: z.record(z.string(), measuredShareSchema),
  /** Drawn pictures without a flower. */
  drawn: measuredShareSchema,
  /** Calibration error of `known` at even odds, on the halves it was not fitted on. Null: `known` is not calibrated. */
  ece: z.number().nullable(),
})

/** A relative path that stays below its folder. */
const filePath = z.string().regex(/^(?!.*\.\.)[\w-][\w.-]*(\/[\w-][\w.-]*)*$/)

/** What `manifest.json` in a model folder holds. A reader refuses what does not fit. */
const manifestFields = z.strictObject({
  format: z.literal(manifestFormat),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  version: z.int().positive(),
  /** ISO 8601, UTC. */
  created: z.iso.datetime(),
  architecture: z.string(),
  /** Labels by index of the logits. */
  labels: z.array(z.string().min(1)).min(2),
  /** Share of each class among the training photos, by index; sums to 1. */
  classPrior: z.array(z.number().nonnegative()),
  /** Post-hoc logit adjustment inside the network: its logits are those of training less `tau` log `prior`. Absent: none. */
  logitAdjustment: z.strictObject({ tau: z.number(), prior: z.array(z.number().positive()) }).optional(),
  preprocessing: preprocessingSchema,
  views: z.array(viewSchema).min(1),
  viewPolicy: z.enum(viewPolicies),
  /**
   * What turns logits into calibrated probabilities and decisions. Of every array, place k-1 is for answers from the
   * first k views. `temperature` divides the logarithm of the mean probability; null: not fitted, 1 is used.
   * `fastLead.lead`: with policy `fast`, stop after k views when the lead of the mean probability reaches it.
   */
  calibration: z.strictObject({
    temperature: z.array(z.number().positive()).min(1).nullable(),
    /**
     * Networks, trained as this one, on whose answers to photos that they did not learn from all of this was fitted. Absent:
     * it was fitted on validation photos.
     */
    networks: z.int().positive().optional(),
    /**
     * Conformal set of a picture that is known: labels are added, best first, until their calibrated probabilities sum to
     * this. Null: not fitted.
     */
    conformal: z.strictObject({ coverage: z.number(), threshold: z.array(z.number()), count: z.int() }).nullable(),
    /**
     * Refuses what is none of the classes: when the output `known` of the plain view is below the threshold. `trained`: a
     * linear classifier of the features against photos of others; `nearest`: the distance to training photos of the class.
     * `refusedShare`: of photos of the classes that the threshold refuses, fitted on `count` of them. `isCalibrated`:
     * `known` is the share of photos of the classes among pictures that score so, at even odds. Null or absent: not fitted.
     */
    known: z
      .strictObject({
        form: z.enum(['trained', 'nearest']),
        threshold: z.number(),
        refusedShare: z.number(),
        count: z.int(),
        isCalibrated: z.boolean(),
      })
      .nullable()
      .optional(),
    /**
     * In models of an earlier release in place of `known`: abstain when the best of the mean probability, softened by
     * `temperature`, is below the threshold. `count`: right answers that it was fitted on, the fewest of any number of views.
     */
    abstention: z
      .strictObject({
        temperature: z.number().gte(1),
        threshold: z.array(z.number()),
        falseAlarmShare: z.number(),
        count: z.int(),
      })
      .nullable()
      .optional(),
    fastLead: z.strictObject({ lead: z.array(z.number()), disagreementBound: z.number(), count: z.int() }).nullable(),
  }),
  metrics: z.strictObject({
    split: z.string(),
    top1: measuredShareSchema,
    top5: measuredShareSchema,
    macroF1: measuredShareSchema,
    /**
     * Calibration error, with the 95 % interval of the one after. Null: no temperature was fitted, or too few photos measure
     * it. Without a temperature in `calibration`: the error for which the one that was fitted was withdrawn.
     */
    ece: z
      .strictObject({
        before: z.number(),
        after: z.number(),
        bins: z.int(),
        low: z.number().optional(),
        high: z.number().optional(),
      })
      .nullable(),
    /** Absent: nothing is refused. */
    refusals: refusalsSchema.optional(),
    /** Share of validation photos that the model's view policy answers at each level. Absent: not measured. */
    levels: z
      .strictObject({ none: measuredShareSchema, sure: measuredShareSchema, perhaps: measuredShareSchema })
      .optional(),
    /** In models of an earlier release: share of drawn pictures without a flower that is abstained from, by policy. */
    nonFlowers: z.strictObject({ exact: measuredShareSchema, none: measuredShareSchema }).optional(),
  }),
  /** The float32 file against the trainer on real validation photos. */
  parity: z.strictObject({ photos: z.int(), maxAbsLogitDifference: z.number(), flips: z.int() }),
  quantization: z.strictObject({ method: z.string(), top1Change: z.number(), speedup: z.number() }).nullable(),
  /** Counts and hash are of what the run used. `excluded`: ids of the photos of the folder that it left out. Absent: none, or not written down. */
  data: z.strictObject({
    sha256,
    train: z.int(),
    valid: z.int(),
    seed: z.int(),
    excluded: z.array(z.string()).optional(),
  }),
  /** The resolved recipe, as trained. */
  recipe: z.record(z.string(), z.unknown()),
  /** Name to version: tensorflow, tf2onnx, onnxruntime, sharp, libvips, node, flowers. */
  versions: z.record(z.string(), z.string()),
  /** Path below the folder, with forward slashes, to its hash and size in bytes. Holds every file but the manifest. */
  files: z.record(filePath, z.strictObject({ sha256, bytes: z.int().nonnegative() })),
})

/** {@link manifestFields} with the lengths that depend on each other. */
export const manifestSchema = manifestFields.superRefine((manifest, context) => {
  const { labels, classPrior, views, calibration } = manifest
  const report = (path: (string | number)[], message: string): void => {
    context.addIssue({ code: 'custom', path, message })
  }
  if (new Set(labels).size !== labels.length) report(['labels'], 'a label occurs twice')
  if (classPrior.length !== labels.length) report(['classPrior'], `${classPrior.length} for ${labels.length} labels`)
  const { temperature, conformal, abstention, fastLead } = calibration
  const byViews: [(string | number)[], readonly number[] | undefined][] = [
    [['temperature'], temperature ?? undefined],
    [['conformal', 'threshold'], conformal?.threshold],
    [['abstention', 'threshold'], abstention?.threshold],
    [['fastLead', 'lead'], fastLead?.lead],
  ]
  for (const [path, values] of byViews) {
    if (values && values.length !== views.length)
      report(['calibration', ...path], `${values.length} for ${views.length} views`)
  }
})

export type Manifest = z.infer<typeof manifestSchema>
