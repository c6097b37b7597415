import { z } from 'zod'
import { preprocessingSchema } from './preprocessing.ts'
import { viewPolicies, viewSchema } from './views.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** A measured share in [0, 1] with its 95 % interval and the number of photos it stands on. */
const measuredShareSchema = z.strictObject({
  value: z.number(),
  low: z.number(),
  high: z.number(),
  count: z.int().positive(),
})

/** What `manifest.json` in a model folder holds. A reader refuses what does not fit. */
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  version: z.int().positive(),
  /** ISO 8601, UTC. */
  created: z.iso.datetime(),
  architecture: z.string(),
  /** Labels by index of the logits. */
  labels: z.array(z.string().min(1)).min(2),
  /** Share of each class among the training photos, by index; sums to 1. */
  classPrior: z.array(z.number().nonnegative()),
  preprocessing: preprocessingSchema,
  views: z.array(viewSchema).min(1),
  viewPolicy: z.enum(viewPolicies),
  /**
   * What turns logits into calibrated probabilities and decisions.
   * `temperature[k-1]` divides the logarithm of the mean probability over the first k views.
   * `fastLead[k-1]`: with policy `fast`, stop after k views when the lead of the mean probability reaches it.
   */
  calibration: z.strictObject({
    temperature: z.array(z.number().positive()).min(1),
    /** Conformal set: labels are added, best first, until their calibrated probabilities sum to this. Null: not fitted. */
    conformal: z.strictObject({ coverage: z.number(), threshold: z.number(), count: z.int() }).nullable(),
    /** Abstain when the best calibrated probability is below this. Null: not fitted. */
    abstention: z.strictObject({ threshold: z.number(), falseAlarmShare: z.number(), count: z.int() }).nullable(),
    fastLead: z.strictObject({ lead: z.array(z.number()), disagreementBound: z.number(), count: z.int() }).nullable(),
  }),
  metrics: z.strictObject({
    split: z.string(),
    top1: measuredShareSchema,
    top5: measuredShareSchema,
    macroF1: measuredShareSchema,
    ece: z.strictObject({ before: z.number(), after: z.number(), bins: z.int() }),
  }),
  /** The float32 file against the trainer on real validation photos. */
  parity: z.strictObject({ photos: z.int(), maxAbsLogitDifference: z.number(), flips: z.int() }),
  quantization: z.strictObject({ method: z.string(), top1Change: z.number(), speedup: z.number() }).nullable(),
  data: z.strictObject({ sha256, train: z.int(), valid: z.int(), seed: z.int() }),
  /** The resolved recipe, as trained. */
  recipe: z.record(z.string(), z.unknown()),
  /** Name to version: tensorflow, tf2onnx, onnxruntime, sharp, libvips, node, flowers. */
  versions: z.record(z.string(), z.string()),
  /** Path below the folder, with forward slashes, to its hash and size in bytes. */
  files: z.record(z.string(), z.strictObject({ sha256, bytes: z.int() })),
})

export type Manifest = z.infer<typeof manifestSchema>
