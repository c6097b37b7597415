import { expect, it } from 'vitest'
import { exactShare } from './bootstrap.ts'
import { meanRecall } from './mean-recall.ts'

it('counts each class alike, and has an interval over photos', () => {
  const { value, low, high, count } = meanRecall([
    { recall: 0.5, photos: 10 },
    { recall: 0.9, photos: 90 },
    { recall: 0, photos: 0 },
  ])!
  expect([value, count]).toEqual([0.7, 100])
  // Half of the sum of the deviations of two shares: sqrt(0.5 * 0.5 / 10 + 0.9 * 0.1 / 90) / 2 = 0.081.
  expect(value - low).toBeGreaterThan(0.1)
  expect(high - value).toBeLessThan(0.2)
})

it('is sure of nothing where every photo is right', () => {
  expect(meanRecall([1, 1, 1].map((recall) => ({ recall, photos: 2 })))).toEqual(exactShare(6, 6))
  const { low, high } = meanRecall([1, 1, 0].map((recall) => ({ recall, photos: 1 })))!
  expect(high - low).toBeGreaterThan(0.5)
})

it('is nothing without photos', () => {
  expect(meanRecall([{ recall: 0, photos: 0 }])).toBeNull()
})
