import { Option } from 'commander'
import { TrainerError } from '../errors.ts'

/** What `--model` takes, for its help. */
export const modelHelp = 'the name of a model, for its highest version, or a model folder, models/<name>/<version>'

/** `--set`, which may be repeated; undefined where it is not given. */
export const setOption = (about: string): Option =>
  new Option('--set <path=value>', `${about}; may be repeated`).argParser<readonly string[] | undefined>(
    (value, all) => [...(all ?? []), value],
  )

/** Throws USAGE where the text of an option is no whole number from 1. */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new TrainerError('USAGE', `${option} takes a whole number from 1, not "${text}"`)
  return value
}
