import { sha256 } from '@flowers/shared/files'
import { groupBy } from '@flowers/shared/group-by'
import { compareText } from './listed-photo.ts'
import type { Splittable } from './split.ts'

export interface FoldOptions {
  /** From 2. */
  readonly folds: number
  readonly seed: number
}

/**
 * Deals photos into folds, as many of each class in each as can be: the fold of a photo by its id, from 0. Copies and
 * near-duplicates are in one fold. A class that would be in one fold alone, such as one of near copies, is in none, and so
 * are the photos that go together with its own: without that fold it would not be learnt at all. The same photos and seed
 * give the same folds.
 */
export function dealFolds(photos: readonly Splittable[], { folds, seed }: FoldOptions): Map<string, number> {
  const groups = [...groupBy(photos, ({ group }) => group).values()].map((members) => {
    const ids = members.map(({ id }) => id).toSorted(compareText)
    const byLabel = groupBy(members, ({ label }) => label)
    return { ids, byLabel, labels: [...byLabel.keys()].toSorted(compareText), key: sha256(`${seed}\n${ids[0]}`) }
  })
  const labels = new Set(photos.map(({ label }) => label))
  const counts = new Map([...labels].map((label) => [label, Array<number>(folds).fill(0)]))
  const totals = Array<number>(folds).fill(0)
  const foldOf = new Map<string, number>()
  // The largest first: what comes after evens out what they leave uneven.
  for (const { ids, byLabel, labels: own } of groups.toSorted(
    (a, b) => b.ids.length - a.ids.length || compareText(a.key, b.key),
  )) {
    const held = (fold: number): number => own.reduce((sum, label) => sum + counts.get(label)![fold]!, 0)
    let best = 0
    for (let fold = 1; fold < folds; fold++)
      if (held(fold) < held(best) || (held(fold) === held(best) && totals[fold]! < totals[best]!)) best = fold
    for (const [label, members] of byLabel) counts.get(label)![best]! += members.length
    totals[best]! += ids.length
    for (const id of ids) foldOf.set(id, best)
  }
  for (const label of labels) {
    if (counts.get(label)!.filter((count) => count > 0).length > 1) continue
    for (const { ids, byLabel } of groups) if (byLabel.has(label)) for (const id of ids) foldOf.delete(id)
  }
  return foldOf
}
