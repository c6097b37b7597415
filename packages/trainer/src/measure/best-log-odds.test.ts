import { expect, it } from 'vitest'
import { bestLogOdds } from './best-log-odds.ts'

it('is the logit of the best probability', () => {
  const exponentials = [1, 3, 2].map((logit) => Math.exp(logit / 2))
  const best = Math.max(...exponentials) / exponentials.reduce((a, b) => a + b)
  expect(bestLogOdds([1, 3, 2], 2)).toBeCloseTo(Math.log(best / (1 - best)), 12)
})

it('tells probabilities apart that round to 1, and counts a tie as one half', () => {
  expect(bestLogOdds([0, 60], 1)).toBeCloseTo(60, 9)
  expect(bestLogOdds([0, 61], 1)).toBeCloseTo(61, 9)
  expect(bestLogOdds([5, 5], 1)).toBe(0)
  expect(bestLogOdds([2, 2, 2, 2], 1)).toBeCloseTo(-Math.log(3), 12)
})
