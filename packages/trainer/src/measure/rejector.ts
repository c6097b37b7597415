import { bestLogOdds } from './best-log-odds.ts'
import { productOfRows, rowOf, type Matrix } from './matrix.ts'
import type { Scores } from './metrics.ts'

/** What a network says of the plain view of a picture. */
export interface PlainView {
  /** [classes] */
  readonly logits: Scores
  /** [d]: what its last linear layer makes the logits of. */
  readonly features: Float32Array
}

/** Share of the log-odds of the best class in the score, whatever the form. */
export const logitWeight = 0.5

/** What every form has: known = sigmoid(evidence + logitWeight x log-odds of the best class + shift). */
interface Scale {
  /** Divides the logits before their log-odds are taken. */
  readonly temperature: number
  readonly logitWeight: number
  readonly shift: number
}

/** The evidence is linear in the {@link signedRoots} of the features. */
export interface TrainedRejector extends Scale {
  readonly form: 'trained'
  /** [d] */
  readonly weights: Float64Array
}

/**
 * The evidence is `cosineWeight` times the cosine to the prototype of the best class that is `neighbour`th nearest: deep
 * nearest neighbours (Sun et al. 2022, arXiv:2204.06507), but of one class. The cosine is that of all of the features, of
 * which the prototypes keep what lies along the directions.
 */
export interface NearestRejector extends Scale {
  readonly form: 'nearest'
  /** [c][d] */
  readonly directions: Matrix
  /** [classes x perClass][c], class by class: features along the directions, over the length of all of them. */
  readonly prototypes: Matrix
  readonly perClass: number
  readonly neighbour: number
  readonly cosineWeight: number
}

/** What tells whether a picture shows one of the classes. */
export type Rejector = TrainedRejector | NearestRejector

/**
 * Square roots of the sizes of features, with their signs: power normalisation (Perronnin et al. 2010, "Improving the Fisher
 * kernel for large-scale image classification"). A few features that are very large count for less.
 */
export const signedRoots = (features: ArrayLike<number>): Float64Array =>
  Float64Array.from(features, (value) => Math.sign(value) * Math.sqrt(Math.abs(value)))

/** Features along directions [c][d], over the length of all of them: [c]. */
export function unitAlong(features: ArrayLike<number>, directions: Matrix): Float64Array {
  const row = { rows: 1, columns: directions.columns, values: Float64Array.from(features) }
  const length = Math.max(Math.sqrt(dot(features, features)), 1e-12)
  return productOfRows(row, directions).values.map((value) => value / length)
}

/** Cosine to the prototype of the best class that is `neighbour`th nearest; of classes that tie for best, the largest. */
export function nearestCosine(
  { logits, features }: PlainView,
  rejector: Pick<NearestRejector, 'directions' | 'prototypes' | 'perClass' | 'neighbour'>,
): number {
  const { directions, prototypes, perClass, neighbour } = rejector
  const unit = unitAlong(features, directions)
  const largest = Math.max(...Array.from(logits))
  let best = -Infinity
  for (let index = 0; index < logits.length; index++) {
    if (logits[index] !== largest) continue
    const cosines = Float64Array.from({ length: perClass }, (_, place) =>
      dot(unit, rowOf(prototypes, index * perClass + place)),
    )
    best = Math.max(best, cosines.sort().at(-neighbour)!)
  }
  return best
}

/** The score before the sigmoid. */
export function rejectorScore(rejector: Rejector, view: PlainView): number {
  const { temperature, logitWeight, shift } = rejector
  const evidence =
    rejector.form === 'trained'
      ? dot(rejector.weights, signedRoots(view.features))
      : rejector.cosineWeight * nearestCosine(view, rejector)
  return evidence + logitWeight * bestLogOdds(view.logits, temperature) + shift
}

/** How surely a picture shows one of the classes, in (0, 1): the output `known` of the network. */
export const knownOf = (rejector: Rejector, view: PlainView): number => sigmoid(rejectorScore(rejector, view))

export const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score))

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let place = 0; place < a.length; place++) sum += a[place]! * b[place]!
  return sum
}
