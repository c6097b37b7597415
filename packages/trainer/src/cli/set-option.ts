import { Option } from 'commander'

/** `--set`, which may be repeated; undefined where it is not given. */
export const setOption = (about: string): Option =>
  new Option('--set <path=value>', `${about}; may be repeated`).argParser<readonly string[] | undefined>(
    (value, all) => [...(all ?? []), value],
  )
