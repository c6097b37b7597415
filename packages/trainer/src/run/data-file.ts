import { join } from 'node:path'
import { z } from 'zod'
import { auditKinds, type AuditKind } from '../dataset/audit.ts'
import { splits } from '../dataset/listed-photo.ts'
import { readJson, runFiles } from './files.ts'

const auditSchema = z.object({
  checked: z.number(),
  errors: z.number(),
  warnings: z.number(),
  problems: z.array(
    z.object({ kind: z.enum(Object.keys(auditKinds) as AuditKind[]), ids: z.array(z.string()), detail: z.string() }),
  ),
})

/** Photos by label, which may be `__proto__` too: a record would lose that one. */
const countsSchema = z
  .preprocess((counts) => Object.entries(counts ?? {}), z.array(z.tuple([z.string(), z.int()])))
  .transform((counts): ReadonlyMap<string, number> => new Map(counts))
const photoSchema = z.object({
  id: z.string(),
  sha256: z.string(),
  /** Split and label are missing in older run folders. */
  split: z.enum(splits).optional(),
  label: z.string().optional(),
})

const dataSchema = z.object({
  /** DATA of the command line. */
  source: z.string(),
  sha256: z.string(),
  seed: z.int(),
  labels: z.array(z.string()),
  splitBy: z.enum(['given', 'stratified']),
  counts: z.object({ train: countsSchema, valid: countsSchema }),
  excluded: z.array(z.string()).default([]),
  photos: z.array(photoSchema).default([]),
  /** What the audit found; null in older run folders and where it has other fields. */
  audit: auditSchema.nullable().catch(null),
})

/** What `data.json` says of the photos of a run. */
export type RunData = z.infer<typeof dataSchema>

/** Reads `data.json` of a run folder. Throws TRAIN_RUN_MISSING and TRAIN_RUN_DAMAGED. */
export const readRunData = (folder: string): Promise<RunData> => readJson(join(folder, runFiles.data), dataSchema)
