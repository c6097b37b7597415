import { oneLine } from '@flowers/shared/printable'
import { plural } from '../console/format.ts'

/** A file or folder of DATA that is not used. */
export interface PassedOver {
  /** Relative to the root, with forward slashes; bytes that are no UTF-8 as `\xe9`. */
  readonly id: string
  /** What it is, such as `a pipe`. */
  readonly reason: string
  /** Made by a system or a program, so no news to the person. */
  readonly system: boolean
}

/** A class without a photo: its folder, or its label in a CSV. */
export type EmptyClass = Pick<PassedOver, 'id' | 'reason'>

/** Lines for a person, at most `limit` by name and one for what systems make. */
export function passedOverLines(all: readonly PassedOver[], limit = 10): string[] {
  const own = all.filter(({ system }) => !system)
  const lines = own.slice(0, limit).map(({ id, reason }) => `${oneLine(id)}: ${oneLine(reason)}`)
  if (own.length > limit) lines.push(`and ${own.length - limit} more`)
  return [...lines, ...systemLines(all)]
}

/** A line such as `3 files or folders that systems make: @eaDir, Thumbs.db`, or none. */
export function systemLines(all: readonly PassedOver[]): string[] {
  const made = all.filter(({ system }) => system)
  if (made.length === 0) return []
  const names = [...new Set(made.map(({ id }) => id.slice(id.lastIndexOf('/') + 1)))].toSorted()
  const some = names.slice(0, 5).join(', ') + (names.length > 5 ? ', ...' : '')
  return [
    `${plural(made.length, 'file or folder that systems make', 'files or folders that systems make')}: ${oneLine(some)}`,
  ]
}

/** What of DATA was not used, as sentences to follow an error; empty where all was. */
export function notUsed(passedOver: readonly PassedOver[], emptyClasses: readonly EmptyClass[]): string {
  const empty = emptyClasses.map((each) => ({ ...each, system: false }))
  const lines = passedOverLines([...empty, ...passedOver], 3)
  return lines.length === 0 ? '' : ` Not used: ${lines.join('; ')}.`
}
