import { binaryRegression } from './logistic-regression.ts'
import { matrixOf } from './matrix.ts'

/** A picture as a rejector is fitted to it: one of the classes, or of a group of others. */
export interface Sided {
  /** Null: it shows one of the classes. */
  readonly group: string | null
}

/**
 * What each picture counts so that both sides count the same, and on the side of others each group: `things` may have many
 * more pictures than `plants`. The mean is 1.
 */
export function evenOddsWeights(pictures: readonly Sided[]): Float64Array {
  const sizes = new Map<string | null, number>()
  for (const { group } of pictures) sizes.set(group, (sizes.get(group) ?? 0) + 1)
  const groups = sizes.size - Number(sizes.has(null))
  return Float64Array.from(pictures, ({ group }) => {
    const share = group === null ? 1 / 2 : 1 / 2 / groups
    return (share * pictures.length) / sizes.get(group)!
  })
}

/** Log-odds that a picture with this score is one of the classes: slope x score + shift. */
export interface PlattScaling {
  readonly slope: number
  readonly shift: number
}

/**
 * Platt scaling (Platt 1999, "Probabilistic outputs for support vector machines") at even odds of both sides.
 *
 * @returns null where higher scores do not speak for the classes
 */
export function fitPlatt(scores: readonly number[], pictures: readonly Sided[]): PlattScaling | null {
  const { weights, bias } = binaryRegression(
    matrixOf(scores.map((score) => [score])),
    pictures.map(({ group }) => group === null),
    // In place of Platt's softened targets: a slope stays finite where the sides do not overlap.
    { penalty: 0.01, sampleWeights: evenOddsWeights(pictures) },
  )
  const slope = weights[0]!
  return slope > 0 ? { slope, shift: bias } : null
}
