import { describe, expect, it } from 'vitest'
import { bootstrap, bootstrapInTurns, exactShare, quantile } from './bootstrap.ts'

describe('bootstrap', () => {
  // Of 400 photos the first 320 are right.
  const rightShare = (photos: ArrayLike<number>): number =>
    Array.from(photos).filter((photo) => photo < 320).length / photos.length
  const measured = (seed: number) => bootstrap(400, rightShare, { seed })

  it('is close to the normal interval of a share of 0.8 in 400 photos', () => {
    // 0.8 +- 1.96 * sqrt(0.8 * 0.2 / 400) = 0.8 +- 0.0392
    const { value, low, high, count } = measured(1)
    expect(value).toBe(0.8)
    expect(count).toBe(400)
    expect(low).toBeCloseTo(0.7608, 2)
    expect(high).toBeCloseTo(0.8392, 2)
  })

  it('depends on the seed and on nothing else', () => {
    expect(measured(1)).toEqual(measured(1))
    expect(measured(1)).not.toEqual(measured(2))
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

it('the exact interval is no point where all photos agree', () => {
  const all = exactShare(50, 50)
  expect(all.value).toBe(1)
  expect(all.low).toBeCloseTo(0.025 ** (1 / 50), 8)
  expect(all.high).toBe(1)
  const none = exactShare(0, 50)
  expect(none).toMatchObject({ value: 0, low: 0 })
  expect(none.high).toBeCloseTo(1 - 0.025 ** (1 / 50), 8)
})

describe('in turns', () => {
  const statistic = (photos: ArrayLike<number>): number => photos[0]! / photos.length

  it('gives what it gives at once', async () => {
    const options = { seed: 5, resamples: 40, strata: [0, 0, 1, 1, 1] }
    expect(await bootstrapInTurns(5, statistic, options)).toEqual(bootstrap(5, statistic, options))
  })

  it('lets others have a turn, and stops when it is asked to', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    let drawn = 0
    const count = (photos: ArrayLike<number>): number => {
      drawn++
      // Only a turn of the event loop can bring this about.
      if (drawn === 1) setImmediate(() => stop.abort(reason))
      return statistic(photos)
    }
    const many = bootstrapInTurns(2 ** 17, count, { seed: 1, resamples: 50, signal: stop.signal })
    await expect(many).rejects.toBe(reason)
    expect(drawn).toBeLessThan(10)
  })
})

it('quantile interpolates', () => {
  expect(quantile([1, 2, 4], 0)).toBe(1)
  expect(quantile([1, 2, 4], 0.75)).toBe(3)
  expect(quantile([1, 2, 4], 1)).toBe(4)
})
