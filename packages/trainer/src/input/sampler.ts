import { groupBy } from '@flowers/shared/group-by'
import { Random } from '@flowers/shared/random'

export interface OrderOptions {
  /** Of the run. */
  readonly seed: number
  /** From 0. */
  readonly epoch: number
  /**
   * 1: every photo once. Below 1 as many photos as there are, in classes drawn in proportion to (photos of the class)^power:
   * 0 draws every class equally often, 0.5 is the square root between them.
   */
  readonly power: number
}

/**
 * The order of an epoch: indices into `samples`, a pure function of its arguments.
 *
 * A power below 1 makes it the q-power sampler of Kang et al., "Decoupling Representation and Classifier for Long-Tailed
 * Recognition" (ICLR 2020), p_c proportional to n_c^q. Classes are drawn independently; within a class the photos take
 * turns in a shuffled round, so that none is drawn twice before all were drawn once.
 */
export function epochOrder(
  samples: readonly { readonly index: number }[],
  { seed, epoch, power }: OrderOptions,
): Int32Array {
  const random = new Random(seed, 'order', epoch)
  if (power === 1) return random.shuffle(Int32Array.from(samples, (_, position) => position))

  const classes = groupBy(samples.keys(), (position) => samples[position]!.index)
  const rounds = [...classes]
    .toSorted(([a], [b]) => a - b)
    .map(([, members]) => ({ members: random.shuffle(members), next: 0 }))
  const counts = rounds.map(({ members }) => members.length)
  const cumulative = cumulate(classShares(counts, power))
  return Int32Array.from(samples, () => {
    const at = random.uniform()
    const round = rounds[cumulative.findIndex((bound) => at < bound)] as (typeof rounds)[number]
    if (round.next === round.members.length) {
      random.shuffle(round.members)
      round.next = 0
    }
    return round.members[round.next++] as number
  })
}

/** Probability of each class under the q-power sampler: n_c^q over the sum of them. `counts` are positive. */
export function classShares(counts: readonly number[], power: number): number[] {
  const weights = counts.map((count) => count ** power)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

function cumulate(shares: readonly number[]): number[] {
  let sum = 0
  // The last bound is exact, so that rounding never leaves a number without a class.
  return shares.map((share, index) => (index === shares.length - 1 ? 1 : (sum += share)))
}
