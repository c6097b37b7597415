import { describe, expect, it } from 'vitest'
import { effectiveNumberWeights, effectivePrior, focalFactors, priorWarning } from './class-weights.ts'

describe('effectiveNumberWeights', () => {
  it('are the numbers worked out by hand', () => {
    // beta 0.9: 1 photo 0.1 / 0.1 = 1; 2 photos 0.1 / 0.19 = 10/19; together 29/19, so times 38/29
    const weights = effectiveNumberWeights([1, 2], 0.9)
    expect(weights[0]).toBeCloseTo(38 / 29, 12)
    expect(weights[1]).toBeCloseTo(20 / 29, 12)
  })

  it('go from equal weights at beta 0 to inverse frequency as beta nears 1', () => {
    expect(effectiveNumberWeights([5, 50, 500], 0)).toEqual([1, 1, 1])
    const [rare, common] = effectiveNumberWeights([10, 100], 0.999999)
    expect(rare! / common!).toBeCloseTo(10, 2)
  })

  it('survive a class without photos', () => {
    expect(effectiveNumberWeights([0, 3], 0.99).every(Number.isFinite)).toBe(true)
  })
})

describe('effectivePrior', () => {
  const counts = [400, 100, 25]

  it('is natural, square root or balanced by the sampler alone', () => {
    expect(effectivePrior(counts, 1, null).slope).toBeCloseTo(1, 12)
    expect(effectivePrior(counts, 0.5, null)).toEqual({
      prior: [4 / 7, 2 / 7, 1 / 7].map((share) => expect.closeTo(share, 12) as number),
      slope: expect.closeTo(0.5, 12) as number,
    })
    expect(effectivePrior(counts, 0, null).slope).toBeCloseTo(0, 12)
  })

  it('falls below balance when two corrections stack up', () => {
    const weights = effectiveNumberWeights(counts, 0.9999)
    expect(effectivePrior(counts, 1, weights).slope).toBeGreaterThan(0)
    expect(effectivePrior(counts, 0.5, weights).slope).toBeLessThan(-0.4)
  })

  it('has no slope where classes are equal', () => {
    expect(effectivePrior([7, 7], 1, null)).toEqual({ prior: [0.5, 0.5], slope: null })
  })
})

describe('focalFactors', () => {
  it('are the mean over the photos of a class of what is left of their loss', () => {
    const photos = [
      { index: 0, own: 0.9 },
      { index: 0, own: 0.5 },
      { index: 2, own: 0.2 },
    ]
    const close = (values: number[]) => values.map((value) => expect.closeTo(value, 12) as number)
    // (0.01 + 0.25) / 2, then of all photos, then 0.64.
    expect(focalFactors(photos, 3, 2)).toEqual(close([0.13, 0.3, 0.64]))
    expect(focalFactors(photos, 3, 0)).toEqual([1, 1, 1])
  })

  it('take the prior beyond balance where rare classes are learnt last', () => {
    const photos = [0.9, 0.6, 0.2].map((own, index) => ({ index, own }))
    const { prior, slope } = effectivePrior([400, 100, 25], 0.5, null, focalFactors(photos, 3, 1))
    // 4, 2 and 1 times 0.1, 0.4 and 0.8.
    expect(prior).toEqual([0.2, 0.4, 0.4].map((share) => expect.closeTo(share, 12) as number))
    expect(slope).toBeLessThan(-0.1)
  })
})

describe('priorWarning', () => {
  it.each([1, 0.3, 0, -0.1, null])('says nothing at slope %s', (slope) => {
    expect(priorWarning(slope, 'sampler and class weights')).toBeNull()
  })

  it('says how far beyond balance training is, and by what', () => {
    expect(priorWarning(-0.42, 'sampler and class weights')).toMatch(
      /sampler and class weights together go beyond balance.*slope -0\.42; 1 is natural, 0 balanced\)$/,
    )
  })
})
