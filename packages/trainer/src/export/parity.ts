import { argmax } from '@flowers/shared/model/views'
import { TrainerError } from '../errors.ts'

/** Largest difference of a logit that is rounding, not a defect. */
const tolerance = 1e-3

/** The logits of one photo from the trainer and from the exported file. */
export interface LogitPair {
  readonly id: string
  readonly trainer: ArrayLike<number>
  readonly exported: ArrayLike<number>
}

/** A photo whose best class differs. */
export interface Flip {
  readonly id: string
  readonly trainer: number
  readonly exported: number
  /** The trainer's logit of its own best class less that of the other. */
  readonly margin: number
}

export interface Parity {
  readonly photos: number
  /** NaN when a logit is not a number. */
  readonly maxAbsLogitDifference: number
  readonly flips: readonly Flip[]
}

export function compareLogits(pairs: readonly LogitPair[]): Parity {
  let largest = 0
  const flips: Flip[] = []
  for (const { id, trainer, exported } of pairs) {
    for (let index = 0; index < Math.max(trainer.length, exported.length); index++) {
      largest = Math.max(largest, Math.abs((trainer[index] ?? NaN) - (exported[index] ?? NaN)))
    }
    const [own, other] = [argmax(trainer), argmax(exported)]
    if (own !== other) {
      flips.push({ id, trainer: own, exported: other, margin: (trainer[own] as number) - (trainer[other] as number) })
    }
  }
  return { photos: pairs.length, maxAbsLogitDifference: largest, flips }
}

/**
 * Passes a file whose logits differ from the trainer's by at most `tolerance` and whose flips are near ties: two
 * classes closer than two such differences can change places by rounding. Throws EXPORT_PARITY otherwise.
 */
export function requireParity({ photos, maxAbsLogitDifference, flips }: Parity): void {
  const real = flips.filter(({ margin }) => !(margin <= 2 * tolerance))
  if (photos > 0 && maxAbsLogitDifference <= tolerance && real.length === 0) return
  const listed = flips.map(
    ({ id, trainer, exported, margin }) => `  ${id}: class ${trainer} became ${exported}, margin ${margin}`,
  )
  throw new TrainerError(
    'EXPORT_PARITY',
    [
      `over ${photos} photos the logits differ by up to ${maxAbsLogitDifference} (at most ${tolerance} may be), and ` +
        `${flips.length} photos get another label, ${real.length} of them not a near tie`,
      ...listed,
    ].join('\n'),
  )
}
