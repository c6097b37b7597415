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
   * first k views. `temperature` divides the logarithm of the mean probability. `fastLead.lead`: with policy `fast`, stop
   * after k views when the lead of the mean probability reaches it.
   */
  calibration: z.strictObject({
    temperature: z.array(z.number().positive()).min(1),
    /** Conformal set: labels are added, best first, until their calibrated probabilities sum to this. Null: not fitted. */
    conformal: z.strictObject({ coverage: z.number(), threshold: z.array(z.number()), count: z.int() }).nullable(),
    /**
     * Abstain when the in-distribution score of the mean probability, softened by `temperature`, is below the threshold.
     * `count`: right answers that it was fitted on, the fewest of any number of views. Null: not fitted.
     */
    abstention: z
      .strictObject({
        temperature: z.number().gte(1),
        threshold: z.array(z.number()),
        falseAlarmShare: z.number(),
        count: z.int(),
      })
      .nullable(),
    fastLead: z.strictObject({ lead: z.array(z.number()), disagreementBound: z.number(), count: z.int() }).nullable(),
  }),
  metrics: z.strictObject({
    split: z.string(),
    top1: measuredShareSchema,
    top5: measuredShareSchema,
    macroF1: measuredShareSchema,
    ece: z.strictObject({ before: z.number(), after: z.number(), bins: z.int() }),
    /** Share of drawn pictures without a flower that is abstained from, by policy. Absent: no abstention was fitted. */
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
    [['temperature'], temperature],
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
