import { sha256 } from '@flowers/shared/files'
import { groupBy } from '@flowers/shared/group-by'
import { compareText } from './listed-photo.ts'
import { TrainerError } from '../errors.ts'

export interface Splittable {
  readonly id: string
  readonly label: string
  /** Hash of the file's content. */
  readonly sha256: string
  /** Name of the group of copies and near-duplicates that the photo belongs to, of whatever label; they stay together. */
  readonly group: string
}

/**
 * Chooses validation photos: `validShare` of each class, rounded, at least one where its groups allow it, and at least
 * one is left to train on. The choice depends on the seed and on the class's own photos only, but for groups of several
 * labels, which come last and mostly train: another class, or an added photo, hardly moves it.
 * Returns the ids that validate. Throws DATA_CLASS_TOO_SMALL for a class with less than two different photos, unless
 * `partial`: then its photos train.
 */
export function stratifiedSplit(
  photos: readonly Splittable[],
  options: { seed: number; validShare: number; partial?: boolean },
): Set<string> {
  const { seed, validShare, partial = false } = options
  if (!(validShare > 0 && validShare < 1)) throw new RangeError(`validShare is between 0 and 1, not ${validShare}`)
  const groups = [...groupBy(photos, (photo) => photo.group).values()].map((members) => {
    const ids = members.map((photo) => photo.id).toSorted(compareText)
    return {
      ids,
      counts: countBy(members, (photo) => photo.label),
      key: sha256(`${seed}\n${ids[0]}`),
    }
  })
  // Of a class: validation photos still wanted, and groups not yet decided on.
  const wanted = new Map<string, number>()
  for (const [label, members] of groupBy(photos, (photo) => photo.label)) {
    if (!partial) requireTwo(label, members)
    wanted.set(label, Math.max(1, Math.round(members.length * validShare)))
  }
  const undecided = countBy(
    groups.flatMap(({ counts }) => [...counts.keys()]),
    (label) => label,
  )
  const several = ({ counts }: { counts: ReadonlyMap<string, number> }) => Number(counts.size > 1)
  const chosen = new Set<string>()
  for (const { ids, counts } of groups.toSorted((a, b) => several(a) - several(b) || compareText(a.key, b.key))) {
    const validates = [...counts.keys()].every((label) => wanted.get(label)! > 0 && undecided.get(label)! > 1)
    for (const [label, count] of counts) {
      undecided.set(label, undecided.get(label)! - 1)
      if (validates) wanted.set(label, wanted.get(label)! - count)
    }
    if (validates) for (const id of ids) chosen.add(id)
  }
  return chosen
}

function requireTwo(label: string, members: readonly Splittable[]): void {
  if (new Set(members.map((photo) => photo.sha256)).size > 1) return
  const has = members.length === 1 ? 'one photo' : `${members.length} copies of one photo`
  throw new TrainerError('DATA_CLASS_TOO_SMALL', `The class "${label}" has ${has}, and a split needs two.`)
}

const countBy = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> =>
  new Map([...groupBy(items, keyOf)].map(([key, members]) => [key, members.length]))
