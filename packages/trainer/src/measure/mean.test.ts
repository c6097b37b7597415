import { expect, it } from 'vitest'
import { mean } from './mean.ts'

it('is the sum by the count, of any collection', () => {
  expect(mean([1, 2, 6])).toBe(3)
  expect(mean(Float64Array.of(0.5, -0.5))).toBe(0)
  expect(mean(new Set([4]))).toBe(4)
  expect(mean([])).toBeNaN()
})
