import { Option } from 'commander'
import { fromUser } from '../console/paths.ts'
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

/** `--others`, of the commands that make a model or calibrate it. */
export const othersOption = (): Option =>
  new Option(
    '--others <data>',
    'a folder of photos of anything that is none of the classes, best with a folder per kind: the model learns to refuse such pictures. A folder others/ beside the classes is taken by itself',
  )

/** `--refuse`, beside `--others`. */
export const refuseOption = (): Option =>
  new Option(
    '--refuse <share>',
    'how many of the photos of its own classes the model may refuse, so that it refuses more of all else: above 0, at most 0.5 (default: 0.05)',
  )

/** What both come to. Throws USAGE. */
export function rejectorOptions({
  others,
  refuse,
}: {
  readonly others?: string | undefined
  readonly refuse?: string | undefined
}): {
  others?: string
  refusedShare?: number
} {
  const share = Number(refuse)
  if (refuse !== undefined && !(share > 0 && share <= 0.5))
    throw new TrainerError('USAGE', `--refuse takes a share above 0, at most 0.5, not "${refuse}"`)
  return {
    ...(others !== undefined && { others: fromUser(others) }),
    ...(refuse !== undefined && { refusedShare: share }),
  }
}
