import { bootstrap, exactShare, type MeasuredShare } from './bootstrap.ts'
import type { ClassMetrics } from './metrics.ts'

const seed = 1
/** With so many photos of each class a resample draws as many of each again, so that none vanishes. */
const fewestInStratum = 5

/**
 * Mean recall of classes, each counting alike, with its 95 % interval over photos: the bootstrap, or, where every photo is
 * right or none, that of Clopper and Pearson. Classes without photos count for nothing; null where none has any.
 */
export function meanRecall(classes: readonly Pick<ClassMetrics, 'recall' | 'photos'>[]): MeasuredShare | null {
  const members = classes.filter(({ photos }) => photos > 0)
  if (members.length === 0) return null
  const labels = members.flatMap(({ photos }, label) => Array<number>(photos).fill(label))
  const right = members.flatMap(({ recall, photos }) => {
    const hits = Math.round(recall * photos)
    return Array.from({ length: photos }, (_, photo) => photo < hits)
  })
  const hits = right.filter(Boolean).length
  if (hits === 0 || hits === right.length) return exactShare(hits, right.length)
  const [seen, named] = [new Float64Array(members.length), new Float64Array(members.length)]
  const statistic = (photos: ArrayLike<number>): number => {
    seen.fill(0)
    named.fill(0)
    for (let place = 0; place < photos.length; place++) {
      const label = labels[photos[place]!]!
      seen[label]!++
      if (right[photos[place]!]) named[label]!++
    }
    let [sum, present] = [0, 0]
    for (let label = 0; label < seen.length; label++) {
      if (seen[label] === 0) continue
      sum += named[label]! / seen[label]!
      present++
    }
    return sum / present
  }
  const isLarge = members.every(({ photos }) => photos >= fewestInStratum)
  return bootstrap(right.length, statistic, { seed, ...(isLarge && { strata: labels }) })
}
