import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
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
  /^(checkpoints|events\..*|(recipe|environment)\.json.*|data\.json\..*\.tmp)$/.test(name)

/** Reads a JSON file of a run folder. Throws TRAIN_RUN_MISSING naming the file and what is wrong with it. */
export async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TrainerError('TRAIN_RUN_MISSING', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  })
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw new TrainerError('TRAIN_RUN_MISSING', `${path} is not JSON: ${(cause as Error).message}`, { cause })
  }
  return parseAs(path, schema, content)
}

/** Throws TRAIN_RUN_MISSING where `content`, read from `path`, is not what the schema describes. */
export function parseAs<S extends z.ZodType>(path: string, schema: S, content: unknown): z.infer<S> {
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  throw new TrainerError('TRAIN_RUN_MISSING', `${path} is not of this release:\n${z.prettifyError(parsed.error)}`)
}
