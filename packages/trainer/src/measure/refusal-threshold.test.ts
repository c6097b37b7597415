import { Random } from '@flowers/shared/random'
import { expect, it } from 'vitest'
import { refusalConfidence, refusalThreshold } from './refusal-threshold.ts'

const even = (count: number): number[] => Array.from({ length: count }, (_, index) => (index + 1) / count)

it('lies between two values, with fewer of them below than the share', () => {
  const threshold = refusalThreshold(even(200).toReversed(), 0.05)!
  const below = even(200).filter((value) => value < threshold).length
  // P(X >= 11) = 0.42 and P(X >= 10) = 0.55 for X binomial (200, 0.05): below the tenth value.
  expect(below).toBe(9)
  expect(threshold).toBeCloseTo(9.5 / 200, 12)
})

it('keeps its promise as often as it says', () => {
  const random = new Random(5, 'calibration')
  const trials = 2000
  let kept = 0
  for (let trial = 0; trial < trials; trial++) {
    // Of uniform values the share below a threshold is the threshold.
    const threshold = refusalThreshold(
      Array.from({ length: 100 }, () => random.uniform()),
      0.05,
    )!
    if (threshold <= 0.05) kept++
  }
  // Three standard errors of a share of 0.5 over 2,000 trials: 0.034.
  expect(kept / trials).toBeGreaterThan(refusalConfidence - 0.034)
})

it('is not there where so few values promise nothing', () => {
  expect(refusalThreshold(even(13), 0.05)).toBeNull()
  expect(refusalThreshold([], 0.05)).toBeNull()
  // None of 30 is below; rounding must not move the lowest there.
  expect(refusalThreshold(even(30), 0.05)).toBeLessThan(1 / 30)
})
