import { expect, it } from 'vitest'
import { durationBuckets, geometricBuckets } from './instruments.ts'

it('makes buckets that grow by one factor, from the first to the last', () => {
  expect(geometricBuckets(1, 16, 5)).toEqual([1, 2, 4, 8, 16])
  expect(durationBuckets.at(0)).toBe(0.001)
  expect(durationBuckets.at(-1)).toBe(60)
  for (const [index, bucket] of durationBuckets.slice(1).entries()) {
    expect(bucket / durationBuckets[index]!).toBeGreaterThan(1.48)
    expect(bucket / durationBuckets[index]!).toBeLessThan(1.53)
  }
})
