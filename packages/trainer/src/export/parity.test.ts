import { describe, expect, it } from 'vitest'
import { compareLogits, requireParity } from './parity.ts'

const pair = (trainer: number[], exported: number[], id = 'a.jpg') => ({ id, trainer, exported })

describe('compared logits', () => {
  it('give the largest difference and every flip with its margin', () => {
    const parity = compareLogits([pair([1, 2, 3], [1, 2.25, 3]), pair([0, 4, 3.5], [0, 3, 3.5], 'b.jpg')])
    expect(parity).toEqual({
      photos: 2,
      maxAbsLogitDifference: 1,
      flips: [{ id: 'b.jpg', trainer: 1, exported: 2, margin: 0.5 }],
    })
  })

  it('are not a number when one is not, or one is missing', () => {
    expect(compareLogits([pair([1, 2], [1, NaN])]).maxAbsLogitDifference).toBeNaN()
    expect(compareLogits([pair([1, 2], [1])]).maxAbsLogitDifference).toBeNaN()
  })
})

describe('the gate', () => {
  const gate =
    (...pairs: ReturnType<typeof pair>[]) =>
    () =>
      requireParity(compareLogits(pairs))
  const refusal = expect.objectContaining({ code: 'EXPORT_PARITY' })

  it('lets rounding through, and a near tie', () => {
    expect(gate(pair([1, 2], [1.0005, 1.9995]))).not.toThrow()
    expect(gate(pair([2, 2.0004], [2.0004, 2]))).not.toThrow()
  })

  it.each([
    ['a difference above the tolerance', pair([1, 2], [1, 2.002])],
    ['a logit that is no number', pair([1, 2], [1, NaN])],
    ['infinity', pair([1, 2], [1, Infinity])],
    ['logits that are missing', pair([1, 2, 3], [1, 2])],
  ])('refuses %s', (_, wrong) => {
    expect(gate(wrong)).toThrow(refusal)
  })

  it('refuses without photos', () => {
    expect(gate()).toThrow(refusal)
  })

  it('lists the flips it refuses', () => {
    expect(gate(pair([1, 2], [2, 1], 'rose/1.jpg'))).toThrow(/rose\/1\.jpg: class 1 became 0, margin 1/)
  })

  it('refuses a flip that is no near tie even if the tolerance were kept', () => {
    const flips = [{ id: 'a.jpg', trainer: 0, exported: 1, margin: 0.01 }]
    expect(() => requireParity({ photos: 64, maxAbsLogitDifference: 0, flips })).toThrow(refusal)
  })
})
