import { Random } from '@flowers/shared/random'
import { logisticRegressionInTurns } from './logistic-regression.ts'
import { matrixOf, rowOf, rowsAt, type Matrix } from './matrix.ts'
import { principalComponents, project } from './principal-components.ts'

export interface OutOfFoldOptions {
  readonly folds: number
  readonly seed: number
  /** What belongs together, such as near-duplicates, is in one fold: places of photos; those in no group stand alone. */
  readonly groups: readonly (readonly number[])[]
  /** Hears of folds that are done, of all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Components that a head sees: most of what tells flowers apart, at a quarter of the time. */
const mostComponents = 256
/** Rows that components are drawn from. */
const mostRows = 6500
/** On features of mean square 1 in all; chosen by log-likelihood on Flowers-17 and five flowers of photo-sharing sites. */
const penalty = 1

/**
 * What a head says of each photo that has not seen it: the photos are dealt into folds, class by class, and a multinomial
 * logistic regression on the features of all other folds answers for each. The features are reduced to principal
 * components, for which no label is looked at.
 *
 * @param features a row of D values a photo
 * @param labels class of each photo, in [0, classes)
 * @returns probabilities, a row a photo; null for a photo whose class has none in the other folds, of which nothing can be said
 */
export async function outOfFold(
  features: readonly ArrayLike<number>[],
  labels: readonly number[],
  classes: number,
  { folds, seed, groups, onProgress, signal }: OutOfFoldOptions,
): Promise<(Float64Array | null)[]> {
  const data = reduced(matrixOf(features), seed)
  const foldOf = dealFolds(labels, { folds, seed, groups })
  const answers = features.map((): Float64Array | null => null)
  for (let fold = 0; fold < folds; fold++) {
    const held = [...foldOf.keys()].filter((photo) => foldOf[photo] === fold)
    const others = [...foldOf.keys()].filter((photo) => foldOf[photo] !== fold)
    if (held.length > 0 && others.length > 0) {
      const known = others.map((photo) => labels[photo]!)
      const head = await logisticRegressionInTurns(rowsAt(data, others), known, classes, {
        penalty,
        tolerance: 1e-4,
        signal,
      })
      const rows = head.probabilities(rowsAt(data, held))
      const trained = new Set(known)
      for (const [row, photo] of held.entries()) if (trained.has(labels[photo]!)) answers[photo] = rowOf(rows, row)
    }
    onProgress?.(fold + 1, folds)
  }
  return answers
}

/** Principal components, scaled together so that the mean square of a row's values adds up to their number. */
function reduced(data: Matrix, seed: number): Matrix {
  const places = Array.from({ length: data.rows }, (_, row) => row)
  const drawn = data.rows > mostRows ? new Random(seed, 'folds', 1).shuffle(places).slice(0, mostRows) : places
  const found = principalComponents(rowsAt(data, drawn), { count: mostComponents, seed })
  const along = project(data, found)
  const scale = Math.sqrt(
    along.columns /
      Math.max(
        found.variances.reduce((sum, value) => sum + value, 0),
        Number.MIN_VALUE,
      ),
  )
  return { ...along, values: along.values.map((value) => value * scale) }
}

/**
 * The fold of each photo: photos that belong together are dealt together, each to the fold that has the fewest of their
 * class, of those to the one that has the fewest of all.
 */
export function dealFolds(
  labels: readonly number[],
  { folds, seed, groups }: Pick<OutOfFoldOptions, 'folds' | 'seed' | 'groups'>,
): Int32Array {
  const foldOf = new Int32Array(labels.length).fill(-1)
  const together = new Set(groups.flat())
  const alone = [...labels.keys()].filter((photo) => !together.has(photo)).map((photo) => [photo])
  const all = Array<number>(folds).fill(0)
  const counts = new Map<number, number[]>()
  // The larger first, while there is still room to even out.
  const dealt = new Random(seed, 'folds').shuffle([...groups, ...alone]).toSorted((a, b) => b.length - a.length)
  for (const photos of dealt) {
    const label = labels[photos[0]!]!
    const own = counts.get(label) ?? Array<number>(folds).fill(0)
    counts.set(label, own)
    let best = 0
    for (let fold = 1; fold < folds; fold++) {
      if (own[fold]! < own[best]! || (own[fold] === own[best] && all[fold]! < all[best]!)) best = fold
    }
    for (const photo of photos) {
      foldOf[photo] = best
      all[best]!++
      own[best]!++
    }
  }
  return foldOf
}
