import { describe, expect, it } from 'vitest'
import { bootstrap, measureShare, quantile } from './bootstrap.ts'

describe('bootstrap', () => {
  const hits = Array.from({ length: 400 }, (_, index) => index < 320)

  it('is close to the normal interval of a share of 0.8 in 400 photos', () => {
    // 0.8 +- 1.96 * sqrt(0.8 * 0.2 / 400) = 0.8 +- 0.0392
    const { value, low, high, count } = measureShare(hits, { seed: 1 })
    expect(value).toBe(0.8)
    expect(count).toBe(400)
    expect(low).toBeCloseTo(0.7608, 2)
    expect(high).toBeCloseTo(0.8392, 2)
  })

  it('depends on the seed and on nothing else', () => {
    expect(measureShare(hits, { seed: 1 })).toEqual(measureShare(hits, { seed: 1 }))
    expect(measureShare(hits, { seed: 1 })).not.toEqual(measureShare(hits, { seed: 2 }))
  })

  it('draws every photo equally often', () => {
    const drawn = [0, 0, 0, 0]
    bootstrap(4, (photos) => Array.from(photos).reduce((sum, photo) => sum + (drawn[photo]! += 1), 0), {
      seed: 3,
      resamples: 5000,
    })
    for (const times of drawn) expect(times / 5001).toBeCloseTo(1, 1)
  })
})

it('within strata draws as many of each class as there are', () => {
  const classes = [0, 0, 0, 1, 1, 2]
  const share = bootstrap(
    6,
    (photos) => {
      const counts = [0, 0, 0]
      for (const photo of Array.from(photos)) counts[classes[photo]!]! += 1
      expect(counts).toEqual([3, 2, 1])
      return photos[0]!
    },
    { seed: 1, strata: classes, resamples: 200 },
  )
  expect(share).toMatchObject({ value: 0, low: 0, high: 2 })
})

it('where all photos agree the interval is exact instead of a point', () => {
  const all = measureShare(Array<boolean>(50).fill(true), { seed: 1 })
  expect(all.value).toBe(1)
  expect(all.low).toBeCloseTo(0.025 ** (1 / 50), 8)
  expect(all.high).toBe(1)
  const none = measureShare(Array<boolean>(50).fill(false), { seed: 1 })
  expect(none).toMatchObject({ value: 0, low: 0 })
  expect(none.high).toBeCloseTo(1 - 0.025 ** (1 / 50), 8)
})

it('quantile interpolates', () => {
  expect(quantile([1, 2, 4], 0)).toBe(1)
  expect(quantile([1, 2, 4], 0.75)).toBe(3)
  expect(quantile([1, 2, 4], 1)).toBe(4)
})
