import { binaryRegression } from './logistic-regression.ts'
import { evenOddsWeights } from './even-odds.ts'
import { matrixOf, rowOf } from './matrix.ts'
import { principalComponents, project } from './principal-components.ts'
import { rejectorScore, signedRoots, type PlainView, type TrainedRejector } from './rejector.ts'
import { foldsOf, type Origin } from './species.ts'

/** A picture of anything that is none of the classes. */
export interface OtherView extends PlainView {
  readonly origin: Origin
}

/** Components of the features that are fitted on; docs/models.md says what more of them bring. */
const mostComponents = 128
/** Of the weights, on components of which the mean variance is 1. */
const penalty = 10
/** Share of the log-odds of the best class in the score. */
const logitWeight = 0.5
const folds = 5
const drawnOrigin: Origin = { group: 'drawn', species: 'drawn' }

export interface TrainedFit {
  readonly rejector: TrainedRejector
  /** Scores of the others by weights that were fitted without their species. */
  readonly outOfFold: readonly number[]
}

/**
 * A linear classifier of the signed roots of features, photos of the classes against others, with the log-odds of the best class added: logistic
 * regression with an L2 penalty on principal components of both sides. Both sides count the same, and so do the groups of
 * others, of which drawn pictures are one more: photos alone do not tell what drawings look like.
 */
export function fitTrained(
  own: readonly PlainView[],
  others: readonly OtherView[],
  {
    drawn,
    temperature,
    seed,
  }: { readonly drawn: readonly PlainView[]; readonly temperature: number; readonly seed: number },
): TrainedFit {
  const fit = (against: readonly OtherView[]): TrainedRejector => ({
    form: 'trained',
    temperature,
    logitWeight,
    ...linearFit(own, [...against, ...drawn.map((view) => ({ ...view, origin: drawnOrigin }))], seed),
  })
  const foldOf = foldsOf(
    others.map(({ origin }) => origin),
    folds,
    seed,
  )
  const outOfFold = Array<number>(others.length).fill(NaN)
  for (const fold of new Set(foldOf)) {
    const rejector = fit(others.filter((_, place) => foldOf[place] !== fold))
    for (const [place, other] of others.entries())
      if (foldOf[place] === fold) outOfFold[place] = rejectorScore(rejector, other)
  }
  return { rejector: fit(others), outOfFold }
}

/** Weights on the roots themselves, so that no picture and no component is needed to apply them. */
function linearFit(
  own: readonly PlainView[],
  others: readonly OtherView[],
  seed: number,
): Pick<TrainedRejector, 'weights' | 'shift'> {
  const sides = [...own.map(() => ({ group: null })), ...others.map(({ origin }) => origin)]
  const data = matrixOf([...own, ...others].map(({ features }) => signedRoots(features)))
  const found = principalComponents(data, { count: mostComponents, seed })
  const { mean, components, variances } = found
  const along = project(data, found)
  const scale = Math.sqrt(variances.reduce((sum, value) => sum + value, 0) / variances.length)
  const values = along.values.map((value) => value / scale)
  const { weights, bias } = binaryRegression(
    { ...along, values },
    sides.map(({ group }) => group === null),
    { penalty, sampleWeights: evenOddsWeights(sides) },
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
