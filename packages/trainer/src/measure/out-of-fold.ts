import { Random } from '@flowers/shared/random'
import { logisticRegressionInTurns } from './logistic-regression.ts'
import { mean } from './mean.ts'
import { matrixOf, rowOf, rowsAt, zeros, type Matrix } from './matrix.ts'
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
/** Rows that components are made from: more hardly change them. */
const mostRows = 6500
/** Rows that are spelled out in double precision at one time. */
const rowsAtOnce = 2048
/** Penalties of the weights, the strongest first: few photos and labels that are partly wrong want a strong one. */
const penalties = [1000, 300, 100, 30, 10, 3, 1] as const

/**
 * What a head says of each photo that has not seen it: the photos are dealt into folds, class by class, and a multinomial
 * logistic regression on the features of all other folds answers for each. The features are reduced to principal
 * components, for which no label is looked at. The penalty is the one under which the first fold is likeliest.
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
  // Two rows have no direction that a third could be told by.
  if (features.length < 3) return features.map(() => null)
  const data = reduced(features, seed)
  const foldOf = dealFolds(labels, { folds, seed, groups })
  const answers = features.map((): Float64Array | null => null)
  let penalty: number | undefined
  for (let fold = 0; fold < folds; fold++) {
    const [held, others] = [true, false].map((isHeld) =>
      [...foldOf.keys()].filter((photo) => (foldOf[photo] === fold) === isHeld),
    ) as [number[], number[]]
    const trained = new Set(others.map((photo) => labels[photo]!))
    const judged = held.filter((photo) => trained.has(labels[photo]!))
    if (judged.length > 0) {
      const [rows, known] = [rowsAt(data, others), others.map((photo) => labels[photo]!)]
      const asked = rowsAt(data, judged)
      const fit = async (strength: number): Promise<Matrix> => {
        const options = { penalty: strength, tolerance: 1e-4, signal }
        return (await logisticRegressionInTurns(rows, known, classes, options)).probabilities(asked)
      }
      const best =
        penalty === undefined
          ? await fittest(fit, (said) => lossOf(said, judged, labels))
          : { penalty, said: await fit(penalty) }
      penalty = best.penalty
      for (const [row, photo] of judged.entries()) answers[photo] = rowOf(best.said, row)
    }
    onProgress?.(fold + 1, folds)
  }
  return answers
}

/** The penalty with the least loss, of which there is one minimum: weaker ones are tried until they only make it worse. */
async function fittest(
  fit: (penalty: number) => Promise<Matrix>,
  loss: (said: Matrix) => number,
): Promise<{ penalty: number; said: Matrix }> {
  let [penalty, said] = [penalties[0] as number, await fit(penalties[0])]
  for (const weaker of penalties.slice(1)) {
    const other = await fit(weaker)
    if (loss(other) >= loss(said)) break
    ;[penalty, said] = [weaker, other]
  }
  return { penalty, said }
}

/** Mean negative logarithm of the probabilities of the labels, nats. */
function lossOf(probabilities: Matrix, photos: readonly number[], labels: readonly number[]): number {
  const losses = photos.map((photo, row) => -Math.log(Math.max(rowOf(probabilities, row)[labels[photo]!]!, 1e-12)))
  return mean(losses)
}

/** Principal components of each row, the row then scaled to a mean square of 1: its direction alone is what counts. */
function reduced(features: readonly ArrayLike<number>[], seed: number): Matrix {
  const places = [...features.keys()]
  const drawn = places.length > mostRows ? new Random(seed, 'folds', 1).shuffle(places).slice(0, mostRows) : places
  const rowsOf = (photos: readonly number[]): Matrix => matrixOf(photos.map((photo) => features[photo]!))
  const components = principalComponents(rowsOf(drawn), { count: mostComponents, seed })
  const along = zeros(features.length, components.variances.length)
  for (let first = 0; first < features.length; first += rowsAtOnce) {
    const photos = Array.from({ length: Math.min(rowsAtOnce, features.length - first) }, (_, place) => first + place)
    along.values.set(project(rowsOf(photos), components).values, first * along.columns)
  }
  for (let row = 0; row < along.rows; row++) {
    const values = rowOf(along, row)
    const size = Math.sqrt(mean(values.map((value) => value * value)))
    if (size > 0) values.forEach((value, column) => (values[column] = value / size))
  }
  return along
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
