import { binaryRegression } from './logistic-regression.ts'
import { evenOddsWeights } from './even-odds.ts'
import { matrixOf, rowOf } from './matrix.ts'
import { principalComponents, project } from './principal-components.ts'
import { logitWeight, rejectorScore, signedRoots, type PlainView, type TrainedRejector } from './rejector.ts'
import { foldsOf, type Origin } from './species.ts'

/** A picture of anything that is none of the classes. */
export interface OtherView extends PlainView {
  readonly origin: Origin
}

/** Components of the features that are fitted on; docs/models.md says what more of them bring. */
const mostComponents = 128
/** Of the weights, on components of which the mean variance is 1. */
const penalty = 10
const folds = 5
const drawnOrigin: Origin = { group: 'drawn', species: 'drawn' }

export interface TrainedFit {
  readonly rejector: TrainedRejector
  /** Scores of the others by weights that were fitted without their species. */
  readonly ofOthers: readonly number[]
  /** Scores of the photos that the network has not learnt from, by weights that were fitted without them. */
  readonly ofFitting: readonly number[]
}

/** What the linear classifier is fitted to; `others` and `drawn` are none of the classes. */
export interface TrainedPhotos {
  /** Photos that the network has learnt from. */
  readonly training: readonly PlainView[]
  /** Photos that it has not learnt from, whose features lie as those of any new photo do. */
  readonly fitting: readonly PlainView[]
  readonly others: readonly OtherView[]
  readonly drawn: readonly PlainView[]
}

/**
 * A linear classifier of the signed roots of features, photos of the classes against others, with the log-odds of the best class added: logistic
 * regression with an L2 penalty on principal components of both sides. Both sides count the same; on the side of the
 * classes, photos that the network has learnt from and photos that it has not; and on the other each group of others, of
 * which drawn pictures are one more: photos alone do not tell what drawings look like.
 */
export function fitTrained(
  { training, fitting, others, drawn }: TrainedPhotos,
  { temperature, seed }: { readonly temperature: number; readonly seed: number },
): TrainedFit {
  const drawings = drawn.map((view) => ({ ...view, origin: drawnOrigin }))
  const fit = (own: readonly PlainView[], against: readonly OtherView[]): TrainedRejector => ({
    form: 'trained',
    temperature,
    logitWeight,
    ...linearFit([training, own], [...against, ...drawings], seed),
  })
  const foldOfOthers = foldsOf(
    others.map(({ origin }) => origin),
    folds,
    seed,
  )
  const foldOfFitting = foldsOf(
    fitting.map((_, place) => ({ group: '', species: String(place) })),
    folds,
    seed,
  )
  const ofOthers = Array<number>(others.length).fill(NaN)
  const ofFitting = Array<number>(fitting.length).fill(NaN)
  for (let fold = 0; fold < folds; fold++) {
    const rejector = fit(
      fitting.filter((_, place) => foldOfFitting[place] !== fold),
      others.filter((_, place) => foldOfOthers[place] !== fold),
    )
    for (const [scores, views, foldOf] of [
      [ofOthers, others, foldOfOthers],
      [ofFitting, fitting, foldOfFitting],
    ] as const)
      for (const [place, view] of views.entries())
        if (foldOf[place] === fold) scores[place] = rejectorScore(rejector, view)
  }
  return { rejector: fit(fitting, others), ofOthers, ofFitting }
}

/** Weights on the roots themselves, so that no picture and no component is needed to apply them. */
function linearFit(
  own: readonly (readonly PlainView[])[],
  others: readonly OtherView[],
  seed: number,
): Pick<TrainedRejector, 'weights' | 'shift'> {
  const all = own.flat()
  const sides = [...all.map(() => ({ group: null })), ...others.map(({ origin }) => origin)]
  // Each part of the photos of the classes counts the same.
  const parts = own.flatMap((part) => part.map(() => all.length / own.length / part.length))
  const sampleWeights = evenOddsWeights(sides).map((weight, place) => weight * (parts[place] ?? 1))
  const data = matrixOf([...all, ...others].map(({ features }) => signedRoots(features)))
  const found = principalComponents(data, { count: mostComponents, seed })
  const { mean, components, variances } = found
  const along = project(data, found)
  const scale = Math.sqrt(variances.reduce((sum, value) => sum + value, 0) / variances.length)
  const values = along.values.map((value) => value / scale)
  const { weights, bias } = binaryRegression(
    { ...along, values },
    sides.map(({ group }) => group === null),
    { penalty, sampleWeights },
  )
  const folded = new Float64Array(data.columns)
  for (const [place, weight] of weights.entries()) {
    const direction = rowOf(components, place)
    for (let feature = 0; feature < folded.length; feature++) folded[feature]! += (weight / scale) * direction[feature]!
  }
  let shift = bias
  for (let feature = 0; feature < folded.length; feature++) shift -= folded[feature]! * mean[feature]!
  return { weights: folded, shift }
}
