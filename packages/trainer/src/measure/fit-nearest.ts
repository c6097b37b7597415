import { groupBy } from '@flowers/shared/group-by'
import { Random } from '@flowers/shared/random'
import { matrixOf } from './matrix.ts'
import { principalComponents } from './principal-components.ts'
import { logitWeight, unitAlong, type NearestRejector, type PlainView } from './rejector.ts'

/** A photo that the network has learnt from. */
export interface OwnView extends PlainView {
  /** Class index. */
  readonly label: number
}

/** As good as 128 and as all of the features, as long as cosines are divided by the length of all; see docs/models.md. */
const mostComponents = 64
const mostPrototypes = 50
const neighbour = 5
/** A cosine spreads over a tenth of what log-odds spread over. */
const cosineWeight = 10

/**
 * Prototypes of each class from photos that it was trained on: the features of as many as `most` numbers hold, but for the
 * first few along fewer directions. A class with fewer photos has them more than once.
 *
 * @param own photos of every class, at least one of each
 * @param most values of float32 that directions and prototypes may take together
 */
export function fitNearest(
  own: readonly OwnView[],
  { classes, most, temperature, seed }: { classes: number; most: number; temperature: number; seed: number },
): NearestRejector {
  const width = own[0]!.features.length
  const count = Math.max(1, Math.min(mostComponents, Math.floor(most / (width + classes * neighbour))))
  const perClass = Math.max(neighbour, Math.min(mostPrototypes, Math.floor((most / count - width) / classes)))
  const rows = own.map(({ features }) => features)
  // With every picture mirrored the mean is 0: the length of features matters as well as where they point.
  const mirrored = matrixOf([...rows, ...rows.map((row) => row.map((value) => -value))])
  const { components } = principalComponents(mirrored, { count, seed })
  const byClass = groupBy(new Random(seed, 'components', 1).shuffle([...own]), ({ label }) => label)
  const prototypes = Array.from({ length: classes * perClass }, (_, place) => {
    const photos = byClass.get(Math.floor(place / perClass))!
    return unitAlong(photos[(place % perClass) % photos.length]!.features, components)
  })
  return {
    form: 'nearest',
    temperature,
    directions: components,
    prototypes: matrixOf(prototypes),
    perClass,
    neighbour,
    cosineWeight,
    logitWeight,
    shift: 0,
  }
}
