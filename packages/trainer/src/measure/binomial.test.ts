import { describe, expect, it } from 'vitest'
import { clopperPearson, upperBound } from './binomial.ts'

describe('upper bound', () => {
  it('without hits solves (1 - p)^n = 1 - level', () => {
    expect(upperBound(0, 100, 0.95)).toBeCloseTo(1 - 0.05 ** (1 / 100), 10)
    expect(upperBound(0, 299, 0.95)).toBeLessThanOrEqual(0.01)
    expect(upperBound(0, 298, 0.95)).toBeGreaterThan(0.01)
  })

  it('with all hits, or without trials, promises nothing', () => {
    expect(upperBound(5, 5, 0.95)).toBe(1)
    expect(upperBound(0, 0, 0.95)).toBe(1)
  })

  it('one hit in two: P(X <= 1) = 1 - p^2', () => {
    expect(upperBound(1, 2, 0.95)).toBeCloseTo(Math.sqrt(0.95), 10)
  })

  it('stays exact where single probabilities underflow', () => {
    // Normal approximation of 4000 in 10000 at one-sided 97.5 %: 0.4 + 1.96 * sqrt(0.24 / 10000) = 0.4096.
    expect(upperBound(4000, 10_000, 0.975)).toBeCloseTo(0.4097, 3)
  })
})

it('two-sided interval of 8 in 10 is the published 44.4 to 97.5 %', () => {
  const { low, high } = clopperPearson(8, 10, 0.95)
  expect(low).toBeCloseTo(0.4439, 4)
  expect(high).toBeCloseTo(0.9748, 4)
})
