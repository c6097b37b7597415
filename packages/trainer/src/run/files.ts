import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { exists } from '@flowers/shared/files'
import type { z } from 'zod'
import { toUser } from '../console/paths.ts'
import type { PhaseName } from '../recipe/schema.ts'
import { TrainerError } from '../errors.ts'

/** Every file and folder of a run folder, but for the event files, which TensorBoard names. */
export const runFiles = {
  recipe: 'recipe.json',
  environment: 'environment.json',
  data: 'data.json',
  metrics: 'metrics.jsonl',
  report: 'report.html',
  checkpoints: 'checkpoints',
} as const

/** Files of the `checkpoints` folder. */
export const checkpointFiles = {
  state: 'last.state.safetensors',
  last: 'last.safetensors',
  best: 'best.safetensors',
  /** What the teachers of the run say of its training photos. */
  teacher: 'teacher.safetensors',
  bestOf: (phase: PhaseName) => `best-${phase}.safetensors`,
} as const

export const checkpointPath = (run: string, name: string): string => join(run, runFiles.checkpoints, name)

/** Whether a name in a run folder is of what training writes before its first step is done. */
export const isWrittenAtStart = (name: string): boolean => {
  const { recipe, environment, data, metrics, checkpoints } = runFiles
  return [recipe, environment, data, metrics, checkpoints].some((each) => each === name) || name.startsWith('events.')
}

/** Whether a name is of what a run leaves that was killed before it had written down what it is; `data.json` comes last. */
export const isLeftOfUnbornRun = (name: string): boolean =>
  /^(\.owner\..*|checkpoints|events\..*|(recipe|environment)\.json.*|data\.json\..*\.tmp)$/.test(name)

/** Reads a JSON file of a run folder. Throws TRAIN_RUN_MISSING where it is not there, TRAIN_RUN_DAMAGED where it is not whole. */
export async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> {
  const text = await readFile(path, 'utf8').catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT' && cause.code !== 'ENOTDIR') throw cause
    throw await missing(path, cause)
  })
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw damaged(path, text.trim() === '' ? 'is empty' : 'breaks off or is no JSON', cause)
  }
  return parseAs(path, schema, content)
}

/** Throws TRAIN_RUN_DAMAGED where `content`, read from `path`, is not what the schema describes. */
export function parseAs<S extends z.ZodType>(path: string, schema: S, content: unknown): z.infer<S> {
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const first = parsed.error.issues[0]
  const place = first?.path.join('.') || 'its content'
  throw damaged(path, `holds something else than this release expects (${place}: ${first?.message ?? 'wrong'})`)
}

/** The sentence on a file of a run that is not there. */
export async function missing(path: string, cause?: unknown): Promise<TrainerError> {
  const folder = dirname(path).replace(/\/checkpoints$/, '')
  if (folder !== dirname(path) && (await exists(join(folder, runFiles.data)))) return damaged(path, 'is gone', cause)
  const detail = (await exists(folder))
    ? `${toUser(folder)} holds no ${relative(folder, path)}`
    : `there is no folder ${toUser(folder)}`
  return new TrainerError('TRAIN_RUN_MISSING', detail, { cause })
}

/** The sentence on a file of a run that was cut or overwritten; `what` is said of the file. */
export const damaged = (path: string, what: string, cause?: unknown): TrainerError =>
  new TrainerError('TRAIN_RUN_DAMAGED', `${toUser(path)} ${what}`, { cause })
