import { argmax } from '@flowers/shared/model/views'
import { describe, expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { fitFastMargin, marginsAt, stopAt } from './fast-margin.ts'

const sure = [0.99, 0.01]
const unsure = [0.55, 0.45]
const against = [0.1, 0.9]

describe('stopAt', () => {
  it('exact stops when the rest cannot matter, full never, none at once', () => {
    const views = Array<number[]>(6).fill(sure)
    // Lead of the sum is 0.98 k: above 6 - k from k = 4 on (3.92 > 2).
    expect(stopAt(views, 'exact', null).used).toBe(4)
    expect(stopAt(views, 'full', null).used).toBe(6)
    expect(stopAt(views, 'none', null).used).toBe(1)
    expect(stopAt(views, 'full', null).mean[0]).toBeCloseTo(0.99, 12)
  })

  it('fast stops at its leads', () => {
    expect(stopAt([sure, unsure, against], 'fast', [0.98, 1, 1]).used).toBe(1)
    expect(stopAt([unsure, sure, against], 'fast', [0.2, 0.5, 0]).used).toBe(2)
  })
})

it('leads go from the exact rule to none', () => {
  expect(marginsAt(1, 4)).toEqual([3, 1, 1 / 3, 0])
  expect(marginsAt(0.5, 4)).toEqual([1.5, 0.5, 1 / 6, 0])
  expect(marginsAt(0, 4)).toEqual([0, 0, 0, 0])
})

describe('fitted leads', () => {
  const options = { target: 0.01, worst: 0.05 }

  it('promise what the photos can: the rule of three', () => {
    const photos = Array.from({ length: 100 }, () => Array<number[]>(6).fill(sure))
    const fitted = fitFastMargin(photos, options)
    expect(fitted?.count).toBe(100)
    expect(fitted?.disagreementBound).toBeCloseTo(1 - 0.05 ** (1 / 100), 8)
    expect(fitted?.lead[0]).toBe(0)
  })

  it('are not fitted where the photos can promise nothing of use', () => {
    const photos = Array.from({ length: 58 }, () => Array<number[]>(6).fill(sure))
    expect(fitFastMargin(photos, options)).toBeNull()
    expect(fitFastMargin([...photos, photos[0]!], options)).not.toBeNull()
    expect(fitFastMargin([], options)).toBeNull()
    expect(
      fitFastMargin(
        Array.from({ length: 400 }, () => [sure]),
        options,
      ),
    ).toBeNull()
  })

  it('stay with the exact rule where any bolder one disagrees', () => {
    // Two views lead by 0.4025 a view for class 0, the third decides for class 1; that is 0.805 of what the exact rule asks for.
    const photos = Array.from({ length: 400 }, () => [
      [1, 0],
      [0.4025, 0.5975],
      [0, 1],
    ])
    const fitted = fitFastMargin(photos, options)
    expect(fitted?.lead).toEqual(marginsAt(0.81, 3))
    expect(fitted?.disagreementBound).toBeLessThanOrEqual(0.01)
  })

  it('keep their promise on photos they have not seen', () => {
    const photos = drawn(4000)
    const fitted = fitFastMargin(photos.slice(0, 1000), options)!
    const unseen = photos.slice(1000)
    const answers = unseen.map((photo) => ({
      fast: stopAt(photo, 'fast', fitted.lead),
      full: stopAt(photo, 'full', null),
    }))
    const disagree = answers.filter(({ fast, full }) => argmax(fast.mean) !== argmax(full.mean)).length / unseen.length
    const used = answers.reduce((sum, { fast }) => sum + fast.used, 0) / unseen.length
    expect(fitted.disagreementBound).toBeLessThanOrEqual(0.01)
    expect(disagree).toBeLessThanOrEqual(0.012)
    expect(used).toBeLessThan(3.5)
  })
})

/** Photos of varied difficulty whose views agree more or less. */
function drawn(count: number): number[][][] {
  const random = new Random(5, 'calibration')
  return Array.from({ length: count }, () => {
    const ease = 3 * random.normal()
    return Array.from({ length: 6 }, () => {
      const probability = 1 / (1 + Math.exp(-(ease + 0.7 * random.normal())))
      return [probability, 1 - probability]
    })
  })
}
