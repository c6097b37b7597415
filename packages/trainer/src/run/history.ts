import { readFile } from 'node:fs/promises'
import { z } from 'zod'

/** Null where it was not a number, which JSON does not have. */
const validLoss = z.number().nullable()

const phaseSchema = z.object({
  event: z.literal('phase'),
  phase: z.string(),
  size: z.int(),
  validAccuracy: z.number(),
  validLoss,
  effectivePrior: z.array(z.number()).nullable().default(null),
  effectivePriorSlope: z.number().nullable().default(null),
})

const epochSchema = z.object({
  event: z.literal('epoch'),
  phase: z.string(),
  epoch: z.int(),
  epochs: z.int(),
  loss: z.number(),
  trainAccuracy: z.number(),
  validLoss,
  validAccuracy: z.number(),
  ttaAccuracy: z.number().nullable().default(null),
  best: z.boolean(),
  /** Of the head. */
  learningRate: z.number(),
  /** 0 where the backbone does not learn; null where it was not recorded. */
  backboneLearningRate: z.number().nullable().default(null),
  seconds: z.number(),
  /** With the focal loss; null without one. */
  effectivePrior: z.array(z.number()).nullable().default(null),
  effectivePriorSlope: z.number().nullable().default(null),
})

const sweepSchema = z.object({
  event: z.literal('sweep'),
  phase: z.string(),
  size: z.int(),
  views: z.int(),
  validAccuracy: z.number(),
  validLoss,
})

const lineSchema = z.discriminatedUnion('event', [phaseSchema, epochSchema, sweepSchema])

export type HistoryEpoch = z.infer<typeof epochSchema>

/** A phase as far as it went. */
export interface HistoryPhase extends z.infer<typeof phaseSchema> {
  readonly epochs: readonly HistoryEpoch[]
}

/** The best weights of a phase, scored at a size after the last phase. */
export type SweepLine = z.infer<typeof sweepSchema>

export interface RunHistory {
  readonly phases: readonly HistoryPhase[]
  /** Empty where the recipe has no sweep. */
  readonly sweep: readonly SweepLine[]
}

/** What a run went through, from its `metrics.jsonl`; nothing where there is no such file. */
export async function readHistory(path: string): Promise<RunHistory> {
  return parseHistory(await readFile(path, 'utf8').catch(() => ''))
}

/**
 * Lines of other kinds, and the half line that a kill leaves, are passed over. A sweep that was killed begins again: of two
 * lines on the same weights and size the later counts.
 */
export function parseHistory(text: string): RunHistory {
  const phases: (HistoryPhase & { epochs: HistoryEpoch[] })[] = []
  const sweep = new Map<string, SweepLine>()
  for (const written of text.split('\n')) {
    const parsed = lineSchema.safeParse(parseJson(written))
    if (!parsed.success) continue
    const line = parsed.data
    if (line.event === 'phase') phases.push({ ...line, epochs: [] })
    else if (line.event === 'epoch') phases.at(-1)?.epochs.push(line)
    else sweep.set(`${line.phase} ${line.size}`, line)
  }
  return { phases, sweep: [...sweep.values()] }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
