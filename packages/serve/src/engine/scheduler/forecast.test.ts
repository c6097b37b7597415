import { describe, expect, it } from 'vitest'
import { chooseLevel, forecast, ForecastErrors, type ServiceLevel, type Load } from './forecast.ts'

const exact: ServiceLevel = { policy: 'exact', work: 4, latency: 2 }
const fast: ServiceLevel = { policy: 'fast', work: 2, latency: 1 }
const none: ServiceLevel = { policy: 'none', work: 1, latency: 1 }
const calm = { before: 0, threads: 2, decode: 0, margin: 0 }

describe('forecast', () => {
  it('waits for what comes before or for its own decoding, whichever is longer', () => {
    expect(forecast(exact, 1, calm)).toBe(2)
    expect(forecast(exact, 1, { ...calm, before: 6, decode: 1 })).toBe(3 + 2)
    expect(forecast(exact, 1, { ...calm, before: 6, decode: 4 })).toBe(4 + 2)
    expect(forecast(exact, 1, { ...calm, margin: 0.5 })).toBe(2.5)
  })

  it('waits for the images that come with it', () => {
    expect(forecast(exact, 3, { ...calm, before: 2 })).toBe((2 + 8) / 2 + 2)
  })
})

describe('chooseLevel', () => {
  const levels = [exact, fast, none]
  const choose = (
    change: Partial<Load> = {},
    fits: readonly ServiceLevel[] = levels,
    from: readonly ServiceLevel[] = levels,
  ) =>
    chooseLevel(from, (level) => fits.includes(level), { fill: 0, wait: 0, threads: 2, isRefusing: false, ...change })
      ?.policy ?? null

  it('gives the best that fits', () => {
    expect(choose()).toBe('exact')
    expect(choose({}, [fast, none])).toBe('fast')
    expect(choose({}, [])).toBeNull()
  })

  it('gives up quality while the queue fills, before it refuses', () => {
    expect([0.5, 0.66, 0.67, 0.83, 0.84, 1].map((fill) => choose({ fill }))).toEqual([
      'exact',
      'exact',
      'fast',
      'fast',
      'none',
      'none',
    ])
  })

  it('gives up what takes long while others wait, counted in time or in images like it', () => {
    // Three images like it take 6, 3 and 1.5 seconds on two threads.
    expect([6, 6.1, 3, 100].map((wait) => choose({ wait }))).toEqual(['exact', 'none', 'exact', 'none'])
    expect([3, 3.1].map((wait) => choose({ wait }, [fast, none]))).toEqual(['fast', 'none'])
    const quick = levels.map((level) => ({ ...level, work: level.work / 100 }))
    expect([1, 1.1].map((wait) => choose({ wait }, quick, quick))).toEqual(['exact', 'none'])
  })

  it('gives the cheapest while someone was refused lately', () => {
    expect(choose({ isRefusing: true })).toBe('none')
    expect(choose({ isRefusing: true }, [exact, fast])).toBeNull()
  })

  it('keeps what may not be changed, however much is asked', () => {
    const pressure = { fill: 1, wait: 100, isRefusing: true }
    expect(choose(pressure, [exact], [exact])).toBe('exact')
    expect(choose(pressure, [], [exact])).toBeNull()
  })
})

describe('ForecastErrors', () => {
  it('adds nothing before there were errors, or when they are long past', () => {
    const errors = new ForecastErrors()
    expect(errors.margin(5)).toBe(0)
    errors.observe(1, 2, 5)
    expect(errors.margin(6)).toBeGreaterThan(1)
    expect(errors.margin(16)).toBe(0)
  })

  it('becomes the mean error where answers are late by the same time, and 0 where they are early', () => {
    const [late, early] = [new ForecastErrors(), new ForecastErrors()]
    for (let now = 0; now < 100; now++) {
      late.observe(1, 1.3, now / 10)
      early.observe(1, 0.7, now / 10)
    }
    expect(late.margin(10)).toBeCloseTo(0.3, 6)
    expect(early.margin(10)).toBe(0)
  })

  it('covers almost all of errors that vary', () => {
    const errors = new ForecastErrors()
    let state = 7
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
    let missed = 0
    for (let count = 0; count < 2000; count++) {
      const actual = 1 + random() + random() - 1
      if (count > 50 && actual > 1 + errors.margin(count / 100)) missed++
      errors.observe(1, actual, count / 100)
    }
    expect(missed).toBeLessThan(20)
  })
})
