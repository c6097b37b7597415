import { describe, expect, it } from 'vitest'
import { classShares, epochOrder } from './sampler.ts'

const samples = [90, 9, 1].flatMap((count, index) => Array.from({ length: count }, () => ({ index })))

describe('epochOrder', () => {
  it('shuffles every photo once, differently for each epoch and seed', () => {
    const order = (seed: number, epoch: number) => [...epochOrder(samples, { seed, epoch, power: 1 })]
    expect(order(1, 0)).toEqual(order(1, 0))
    expect(order(1, 0).toSorted((a, b) => a - b)).toEqual(samples.map((_, index) => index))
    expect(order(1, 0)).not.toEqual(order(1, 1))
    expect(order(1, 0)).not.toEqual(order(2, 0))
  })

  it.each([
    [1, [0.9, 0.09, 0.01]],
    [0.5, [0.703, 0.222, 0.074]],
    [0, [1 / 3, 1 / 3, 1 / 3]],
  ])('draws classes in proportion to the power %d of their sizes', (power, expected) => {
    const drawn = [0, 0, 0]
    const epochs = 100
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = epochOrder(samples, { seed: 1, epoch, power })
      expect(order).toHaveLength(samples.length)
      for (const position of order) drawn[samples[position]!.index]!++
    }
    const total = epochs * samples.length
    expected.forEach((share, index) => {
      // Four standard errors of a binomial share.
      expect(Math.abs(drawn[index]! / total - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / total) + 1e-3)
    })
  })

  it('draws no photo of a class twice before all were drawn once', () => {
    const order = epochOrder(samples, { seed: 3, epoch: 2, power: 0 })
    const times = new Map<number, number>()
    for (const position of order) times.set(position, (times.get(position) ?? 0) + 1)
    for (const index of [0, 1, 2]) {
      const counts = samples.flatMap((sample, position) => (sample.index === index ? [times.get(position) ?? 0] : []))
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    }
  })
})

describe('classShares', () => {
  it('is n^q over the sum of them', () => {
    expect(classShares([16, 4], 0.5)).toEqual([4 / 6, 2 / 6])
    expect(classShares([16, 4], 0)).toEqual([0.5, 0.5])
  })
})
