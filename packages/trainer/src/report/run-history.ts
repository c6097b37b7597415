import { readFile } from 'node:fs/promises'
import { z } from 'zod'

const phaseSchema = z.object({
  event: z.literal('phase'),
  phase: z.string(),
  size: z.int(),
  validAccuracy: z.number(),
  validLoss: z.number(),
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
  validLoss: z.number(),
  validAccuracy: z.number(),
  ttaAccuracy: z.number().nullable().default(null),
  best: z.boolean(),
  learningRate: z.number(),
  seconds: z.number(),
})

const lineSchema = z.discriminatedUnion('event', [phaseSchema, epochSchema])

export type HistoryEpoch = z.infer<typeof epochSchema>

/** A phase as far as it went. */
export interface HistoryPhase extends z.infer<typeof phaseSchema> {
  readonly epochs: readonly HistoryEpoch[]
}

/** The phases of a run, from its `metrics.jsonl`; none where there is no such file. */
export async function readHistory(path: string): Promise<HistoryPhase[]> {
  return parseHistory(await readFile(path, 'utf8').catch(() => ''))
}

/** Lines of other kinds, and the half line that a kill leaves, are passed over. */
export function parseHistory(text: string): HistoryPhase[] {
  const phases: (HistoryPhase & { epochs: HistoryEpoch[] })[] = []
  for (const line of text.split('\n')) {
    const parsed = lineSchema.safeParse(parseJson(line))
    if (!parsed.success) continue
    if (parsed.data.event === 'phase') phases.push({ ...parsed.data, epochs: [] })
    else phases.at(-1)?.epochs.push(parsed.data)
  }
  return phases
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
