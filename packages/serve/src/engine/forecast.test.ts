import { describe, expect, it } from 'vitest'
import { chooseOffer, forecast, ForecastErrors } from './forecast.ts'
import type { Offer } from './forecast.ts'

const exact: Offer = { policy: 'exact', work: 4, latency: 2 }
const fast: Offer = { policy: 'fast', work: 2, latency: 1 }
const none: Offer = { policy: 'none', work: 1, latency: 1 }
const calm = { backlog: 0, threads: 2, decode: 0, margin: 0 }

describe('forecast', () => {
  it('waits for what was admitted before or for its own decoding, whichever is longer', () => {
    expect(forecast(exact, 1, calm)).toBe(2)
    expect(forecast(exact, 1, { ...calm, backlog: 6, decode: 1 })).toBe(3 + 2)
    expect(forecast(exact, 1, { ...calm, backlog: 6, decode: 4 })).toBe(4 + 2)
    expect(forecast(exact, 1, { ...calm, margin: 0.5 })).toBe(2.5)
  })

  it('waits for the images that come with it', () => {
    expect(forecast(exact, 3, { ...calm, backlog: 2 })).toBe((2 + 8) / 2 + 2)
  })
})

describe('chooseOffer', () => {
  const offers = [exact, fast, none]
  const choose = (fill: number, seconds: number, backlog = 0, from = offers) =>
    chooseOffer(from, 1, { ...calm, backlog, fill, seconds })?.policy ?? null

  it('gives the best that is in time', () => {
    expect(choose(0, 10)).toBe('exact')
    expect(choose(0, 2)).toBe('exact')
    expect(choose(0, 1.9)).toBe('fast')
    expect(choose(0, 0.9)).toBeNull()
    expect(choose(0, 10, 16)).toBe('exact')
    expect(choose(0, 10, 17)).toBe('fast')
    expect(choose(0, 10, 19)).toBeNull()
  })

  it('gives up quality while the queue fills, before it refuses', () => {
    expect([0.5, 0.66, 0.67, 0.83, 0.84, 1].map((fill) => choose(fill, 99))).toEqual([
      'exact',
      'exact',
      'fast',
      'fast',
      'none',
      'none',
    ])
  })

  it('keeps what may not be changed, however full the queue is', () => {
    expect(choose(1, 99, 0, [exact])).toBe('exact')
    expect(choose(1, 1, 0, [exact])).toBeNull()
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
