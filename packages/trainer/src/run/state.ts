import { z } from 'zod'
import { toUser } from '../console/paths.ts'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../model/weights/safetensors.ts'
import { phaseNames } from '../recipe/schema.ts'
import { TrainerError } from '../errors.ts'

/** How the weights that lead a run did on the validation photos: accuracy in [0, 1], loss in nats. */
const leaderSchema = z.strictObject({ phase: z.enum(phaseNames), accuracy: z.number(), loss: z.number() })

/** Where a run stands, besides its arrays: all that the next step depends on. */
export const positionSchema = z.strictObject({
  phase: z.enum(phaseNames),
  /** The epoch being trained, from 0, and the micro-steps of it that are done. */
  epoch: z.int(),
  step: z.int(),
  /** Optimizer steps done in this phase. */
  updates: z.int(),
  /** Optimizer steps done in the phases before. */
  earlierUpdates: z.int().default(0),
  best: z.strictObject({
    accuracy: z.number(),
    loss: z.number().default(Number.MAX_VALUE),
    epoch: z.int(),
    top: z.number().default(-1),
    waited: z.int(),
    floor: z.number().default(0),
  }),
  /** The best of the run; null: nothing yet, or a state of an earlier release. */
  leader: leaderSchema.nullable().default(null),
  /** What led when the phase began. */
  before: leaderSchema.nullable().default(null),
  plateau: z.strictObject({ best: z.number(), waited: z.int(), factor: z.number() }),
  /** Sums over the steps of the unfinished epoch. */
  sums: z.strictObject({
    loss: z.number(),
    correct: z.number(),
    seen: z.number(),
    /** Updates left out because the gradient overflowed. */
    skipped: z.int().default(0),
  }),
  /** Null where the precision needs none. */
  lossScale: z.strictObject({ value: z.number(), good: z.int() }).nullable().default(null),
  /** Length of metrics.jsonl that belongs to this state; what stands behind it is written anew. */
  metricsBytes: z.int(),
  /** Seconds of training so far. */
  seconds: z.number(),
})
export type Position = z.infer<typeof positionSchema>

/** Every array that training updates in place: its kind, its parameter, and the array itself. */
interface Arrays {
  entries(): Iterable<
    readonly [
      string,
      string,
      { readonly shape: readonly number[]; data(): Promise<unknown>; load(values: Float32Array): void },
    ]
  >
}

/** Kinds of arrays by the names that they had in states saved by an earlier release. */
const earlierKinds: Readonly<Record<string, string>> = { m: 'first', v: 'second' }

/** Saves arrays and position as one file, atomically: there is no moment at which the two disagree. */
export async function saveState(path: string, variables: Arrays, position: Position): Promise<void> {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>()
  for (const [kind, name, variable] of variables.entries()) {
    tensors.set(`${kind}/${name}`, { shape: variable.shape, data: (await variable.data()) as Float32Array })
  }
  await writeSafetensors(path, tensors, { position: JSON.stringify(position) })
}

export interface SavedState {
  readonly path: string
  readonly position: Position
  readonly arrays: ReadonlyMap<string, Float32Array>
}

/** Reads what `saveState` wrote. Throws TRAIN_STATE_INVALID for a file that is not such a state, or not all of it. */
export async function readState(path: string): Promise<SavedState> {
  try {
    const { metadata } = await readSafetensorsHeader(path)
    const tensors = await readSafetensors(path)
    return {
      path,
      position: positionSchema.parse(JSON.parse(metadata['position'] ?? 'null')),
      arrays: new Map([...tensors].map(([name, { data }]) => [name, data as Float32Array])),
    }
  } catch (error) {
    if (error instanceof TrainerError) throw invalid(path, error.message.replace(`${path}: `, ''), error)
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw invalid(path, 'it does not say where the run stands', error)
    throw error
  }
}

/** Puts saved arrays back. Throws TRAIN_STATE_INVALID when they are not the ones this run needs. */
export function restoreVariables(variables: Arrays, { path, arrays }: SavedState): void {
  let restored = 0
  for (const [kind, name, variable] of variables.entries()) {
    const values = arrays.get(`${kind}/${name}`) ?? arrays.get(`${earlierKinds[kind]}/${name}`)
    if (!values) throw invalid(path, `it has no ${kind} of ${name}`)
    const expected = variable.shape.reduce((product, side) => product * side, 1)
    if (values.length !== expected)
      throw invalid(path, `its ${kind} of ${name} has ${values.length} values, not ${expected}`)
    variable.load(values)
    restored++
  }
  if (restored !== arrays.size) throw invalid(path, `it holds ${arrays.size} arrays, this run needs ${restored}`)
}

const invalid = (path: string, detail: string, cause?: unknown): TrainerError =>
  new TrainerError('TRAIN_STATE_INVALID', `${toUser(path)}: ${detail}`, { cause })
