import { describe, expect, it } from 'vitest'
import { fitTemperature, logarithms, negativeLogLikelihood } from './temperature.ts'

/** `count` photos of two classes that all say 0.9 for class 0, of which `right` are. */
function overconfident(count: number, right: number) {
  const rows = Array.from({ length: count }, () => [0.9, 0.1])
  return { rows, labels: rows.map((_, index) => (index < right ? 0 : 1)) }
}

describe('negative log-likelihood', () => {
  it('is the mean of -ln p', () => {
    const { rows, labels } = overconfident(2, 1)
    expect(negativeLogLikelihood(rows.map(logarithms), labels, 1)).toBeCloseTo(-(Math.log(0.9) + Math.log(0.1)) / 2, 12)
    // At temperature 2 the odds 9 become 3: 0.75 and 0.25.
    expect(negativeLogLikelihood(rows.map(logarithms), labels, 2)).toBeCloseTo(
      -(Math.log(0.75) + Math.log(0.25)) / 2,
      12,
    )
  })

  it('survives a probability of 0', () => {
    expect(negativeLogLikelihood([logarithms([1, 0])], [1], 1)).toBeCloseTo(-Math.log(1e-30), 6)
  })
})

describe('fitted temperature', () => {
  it('makes the confidence the accuracy', () => {
    // 75 % right: odds 9^(1/T) must be 3, so T = 2. 90 % right: T = 1. 99 %: ln 9 / ln 99.
    for (const [right, temperature] of [
      [75, 2],
      [90, 1],
      [99, Math.log(9) / Math.log(99)],
    ] as const) {
      const { rows, labels } = overconfident(100, right)
      expect(fitTemperature(rows, labels)).toBeCloseTo(temperature, 3)
    }
  })

  it('is none where all are right or none', () => {
    for (const right of [0, 20]) {
      const { rows, labels } = overconfident(20, right)
      expect(fitTemperature(rows, labels)).toBeNull()
    }
  })
})
