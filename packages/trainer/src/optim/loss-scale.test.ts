import { expect, it } from 'vitest'
import { initialLossScale, nextLossScale } from './loss-scale.ts'
import type { LossScale } from './loss-scale.ts'

/** Scale after as many finite (+) or overflowing (-) updates. */
const after = (start: LossScale, ...runs: number[]): LossScale | null =>
  runs
    .flatMap((run) => new Array<boolean>(Math.abs(run)).fill(run > 0))
    .reduce<LossScale | null>((scale, finite) => scale && nextLossScale(scale, finite), start)

it('doubles after 2,000 finite updates in a row, and halves at an overflow', () => {
  expect(initialLossScale).toEqual({ value: 65_536, good: 0 })
  expect(after(initialLossScale, 1999)).toEqual({ value: 65_536, good: 1999 })
  expect(after(initialLossScale, 2000)).toEqual({ value: 131_072, good: 0 })
  expect(after(initialLossScale, -1)).toEqual({ value: 32_768, good: 0 })
  // The overflow begins the count anew: 1,999 + 1 good ones are not in a row.
  expect(after(initialLossScale, 1999, -1, 1)).toEqual({ value: 32_768, good: 1 })
  expect(after(initialLossScale, -3, 4000)).toEqual({ value: 32_768, good: 0 })
})

it('ends at 1: sixteen halvings of 65,536, and no seventeenth', () => {
  expect(after(initialLossScale, -16)).toEqual({ value: 1, good: 0 })
  expect(after(initialLossScale, -17)).toBeNull()
  expect(after({ value: 1.5, good: 7 }, -1)).toEqual({ value: 1, good: 0 })
})
