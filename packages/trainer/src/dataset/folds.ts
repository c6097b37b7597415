import { groupBy } from '@flowers/shared/group-by'
import { dealFolds, type OutOfFoldOptions } from '../measure/out-of-fold.ts'
import { compareText } from './listed-photo.ts'
import type { Splittable } from './split.ts'

/**
 * Deals photos into folds, as many of each class in each as can be: the fold of a photo by its id, from 0. Copies and
 * near-duplicates are in one fold. A class that would be in one fold alone, such as one of near copies, is in none, and so
 * are the photos that go together with its own: without that fold it would not be learnt at all. The same photos and seed
 * give the same folds.
 */
export function foldsOf(
  photos: readonly Splittable[],
  options: Pick<OutOfFoldOptions, 'folds' | 'seed'>,
): Map<string, number> {
  const sorted = photos.toSorted((a, b) => compareText(a.id, b.id))
  const labels = [...new Set(sorted.map(({ label }) => label))].toSorted(compareText)
  const groups = [...groupBy(sorted.keys(), (place) => sorted[place]!.group).values()]
  const dealt = dealFolds(
    sorted.map(({ label }) => labels.indexOf(label)),
    { ...options, groups: groups.filter(({ length }) => length > 1) },
  )
  const alone = new Set(labels.filter((label) => foldsWith(label).size === 1))
  const left = new Set(sorted.flatMap(({ label, group }) => (alone.has(label) ? [group] : [])))
  return new Map(sorted.flatMap(({ id, group }, place) => (left.has(group) ? [] : [[id, dealt[place]!]])))

  function foldsWith(label: string): Set<number> {
    return new Set([...dealt].filter((_, place) => sorted[place]!.label === label))
  }
}
