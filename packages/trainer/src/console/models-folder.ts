import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isModelName, proposeModelName } from '@flowers/shared/model/model-name'
import { TrainerError } from '../errors.ts'
import { npmIn, pathWord, shellWord } from './command.ts'
import { requireWritable } from './output.ts'
import { fromUser } from './paths.ts'

const above = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/(?<=.)\/$/, '')
/** The repository that this program is of; undefined where it was installed alone. */
const repository = existsSync(join(above, 'pnpm-workspace.yaml')) ? above : undefined

/**
 * Where models go that are made by name: `MODELS_DIR`, as for the service; else `models` of the repository for a person
 * who stands in it, as `npm start` serves that; else `models` where the person stands.
 */
export function modelsFolder(): string {
  const { MODELS_DIR: named } = process.env
  // An empty variable counts as absent, as for the service.
  if (named) return fromUser(named)
  const here = fromUser('.')
  const isInside = repository !== undefined && `${here}/`.startsWith(`${repository}/`)
  return join(isInside ? repository : here, 'models')
}

/** Finds out before the work whether a model of this name can be made. Throws USAGE and the system's error. */
export async function requireModelName(name: string): Promise<void> {
  if (!isModelName(name)) {
    throw new TrainerError(
      'USAGE',
      `a model cannot be called "${name}": its name has lower-case letters, digits, dots, dashes and underscores, such as --name ${proposeModelName(name)}`,
    )
  }
  await requireWritable(join(modelsFolder(), name))
}

/** A command that serves a model by name from a folder of models, to be pasted where the person stands. */
export function serveCommand(models: string, name: string): string {
  if (repository === undefined) return `MODELS_DIR=${shellWord(pathWord(models))} MODEL=${name} npm start`
  const place = models === join(repository, 'models') ? '' : ` --models-dir ${shellWord(models)}`
  return `${npmIn(repository)} start --${place} --model ${name}`
}
