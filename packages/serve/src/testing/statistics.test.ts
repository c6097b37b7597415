import { expect, it } from 'vitest'
import { quantile, robustSlope, uniform } from './statistics.ts'

it('takes quantiles by the nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect([0, 0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([1, 50, 99, 100])
  expect(quantile([], 0.5)).toBeNaN()
})

it('finds the slope of a line beneath outliers', () => {
  const line = Array.from({ length: 21 }, (_, x) => [x, 5 + 2 * x] as const)
  expect(robustSlope(line)).toBe(2)
  expect(robustSlope(line.map(([x, y]) => [x, x % 5 === 0 ? y + 1000 : y] as const))).toBeCloseTo(2)
  expect(robustSlope([[1, 1]])).toBeNaN()
})

it('draws evenly, the same for a seed', () => {
  const draw = (seed: number): number[] => Array.from({ length: 4000 }, uniform(seed))
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
  const counts = draw(7).reduce(
    (sum, value) => sum.with(Math.floor(value * 4), sum[Math.floor(value * 4)]! + 1),
    [0, 0, 0, 0],
  )
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120)
})
