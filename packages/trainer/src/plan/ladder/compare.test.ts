import { expect, it } from 'vitest'
import { gain, meanAccuracy } from './compare.ts'

/** 400 photos; `right` says which answers are. */
const run = (right: (photo: number) => boolean) =>
  Object.fromEntries(Array.from({ length: 400 }, (_, photo) => [`${photo}.jpg`, right(photo)]))

it('averages seeds photo by photo', () => {
  const { value, low, high, count } = meanAccuracy([run((photo) => photo < 200), run((photo) => photo < 300)])
  expect(value).toBeCloseTo(0.625, 12)
  expect(count).toBe(400)
  // The standard error of a photo's mean here is 0.0207.
  expect(low).toBeCloseTo(0.625 - 1.96 * 0.0207, 1)
  expect(high).toBeCloseTo(0.625 + 1.96 * 0.0207, 1)
})

it('compares on the same photos: what both find hard does not widen the interval', () => {
  const before = [run((photo) => photo < 200)]
  const { value, low, high } = gain(before, [run((photo) => photo < 220)])
  expect(value).toBeCloseTo(0.05, 12)
  expect(low).toBeGreaterThan(0.02)
  expect(high).toBeLessThan(0.08)
  expect(gain(before, before)).toMatchObject({ value: 0, low: 0, high: 0 })
})

it('leaves out photos that only one of the two has answered', () => {
  expect(gain([{ a: true, b: true }], [{ b: false, c: true }])).toMatchObject({ value: -1, count: 1 })
})
