import { groupBy } from '@flowers/shared/group-by'
import { Random } from '@flowers/shared/random'

export type OrderOptions = {
  /** Of the run. */
  readonly seed: number
  /** From 0. */
  readonly epoch: number
} & (
  | {
      /** Every photo once. */
      readonly kind: 'shuffle'
    }
  | {
      /** As many photos as there are, classes drawn in proportion to (photos of the class)^power. */
      readonly kind: 'classBalanced'
      /** 1: as the photos are; 0: every class equally often; 0.5: the square root between them. */
      readonly power: number
    }
)

/**
 * The order of an epoch: indices into `samples`, a pure function of its arguments.
 *
 * `classBalanced` is the q-power sampler of Kang et al., "Decoupling Representation and Classifier for Long-Tailed
 * Recognition" (ICLR 2020), p_c proportional to n_c^q. Classes are drawn independently; within a class the photos take
 * turns in a shuffled round, so that none is drawn twice before all were drawn once.
 */
export function epochOrder(samples: readonly { readonly index: number }[], options: OrderOptions): Int32Array {
  const random = new Random(options.seed, 'order', options.epoch)
  if (options.kind === 'shuffle') return random.shuffle(Int32Array.from(samples, (_, position) => position))

  const classes = groupBy(samples.keys(), (position) => samples[position]!.index)
  const rounds = [...classes]
    .toSorted(([a], [b]) => a - b)
    .map(([, members]) => ({ members: random.shuffle(members), next: 0 }))
  const cumulative = cumulate(
    classShares(
      rounds.map(({ members }) => members.length),
      options.power,
    ),
  )
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
