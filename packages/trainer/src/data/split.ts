import { createHash } from 'node:crypto'
import { FlowersError } from '@flowers/shared/errors'
import { compareText } from './listed-photo.ts'

export interface Splittable {
  readonly id: string
  readonly label: string
  /** Hash of the file's content. Photos with equal content stay together. */
  readonly sha256: string
}

/**
 * Chooses validation photos class by class: `validShare` of each, rounded, at least one, and at least one is left to
 * train on. The choice depends on the seed and on the class's own photos only: another class, or an added photo,
 * hardly moves it. Identical copies never end on both sides.
 * Returns the ids that validate. Throws DATA_CLASS_TOO_SMALL for a class with less than two different photos.
 */
export function stratifiedSplit(
  photos: readonly Splittable[],
  options: { seed: number; validShare: number },
): Set<string> {
  const { seed, validShare } = options
  if (!(validShare > 0 && validShare < 1)) throw new RangeError(`validShare is between 0 and 1, not ${validShare}`)
  const chosen = new Set<string>()
  for (const [label, members] of groupBy(photos, (photo) => photo.label)) {
    const copies = [...groupBy(members, (photo) => photo.sha256).values()]
    if (copies.length < 2) {
      const has = members.length === 1 ? 'one photo' : `${members.length} copies of one photo`
      throw new FlowersError('DATA_CLASS_TOO_SMALL', `The class "${label}" has ${has}, and a split needs two.`)
    }
    const drawn = copies
      .map((ids) => ids.map((photo) => photo.id).toSorted(compareText))
      .map((ids) => ({ ids, key: createHash('sha256').update(`${seed}\n${ids[0]}`).digest('hex') }))
      .toSorted((a, b) => compareText(a.key, b.key))
    const wanted = Math.max(1, Math.round(members.length * validShare))
    let taken = 0
    for (const { ids } of drawn.slice(0, -1)) {
      if (taken >= wanted) break
      for (const id of ids) chosen.add(id)
      taken += ids.length
    }
  }
  return chosen
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
