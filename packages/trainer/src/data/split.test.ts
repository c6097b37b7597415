import { FlowersError } from '@flowers/shared/errors'
import { describe, expect, it } from 'vitest'
import { stratifiedSplit, type Splittable } from './split.ts'

const photosOf = (label: string, total: number): Splittable[] =>
  Array.from({ length: total }, (_, index) => ({ id: `${label}/${index}`, label, sha256: `${label}${index}` }))

describe('stratifiedSplit', () => {
  it('takes its share of each class, at least one, and leaves at least one', () => {
    const photos = [...photosOf('a', 100), ...photosOf('b', 2), ...photosOf('c', 10)]
    for (const [validShare, expected] of [
      [0.15, [15, 1, 2]],
      [0.9, [90, 1, 9]],
    ] as const) {
      const valid = [...stratifiedSplit(photos, { seed: 1, validShare })]
      expect(['a', 'b', 'c'].map((label) => valid.filter((id) => id.startsWith(`${label}/`)).length)).toEqual(expected)
    }
  })

  it('depends on the seed, not on the order of the photos nor on other classes', () => {
    const photos = photosOf('a', 40)
    const options = { seed: 5, validShare: 0.25 }
    const valid = stratifiedSplit(photos, options)
    expect(stratifiedSplit(photos.toReversed(), options)).toEqual(valid)
    const joined = stratifiedSplit([...photosOf('b', 7), ...photos], options)
    expect([...joined].filter((id) => id.startsWith('a/')).toSorted()).toEqual([...valid].toSorted())
    expect([...stratifiedSplit(photos, { ...options, seed: 6 })].toSorted()).not.toEqual([...valid].toSorted())
  })

  it('keeps copies of a photo on one side', () => {
    const copies = photosOf('a', 30).map((photo, index) => ({ ...photo, sha256: `content ${index % 10}` }))
    for (let seed = 0; seed < 20; seed++) {
      const valid = stratifiedSplit(copies, { seed, validShare: 0.3 })
      for (let content = 0; content < 10; content++) {
        const sides = copies.filter(({ sha256 }) => sha256 === `content ${content}`).map(({ id }) => valid.has(id))
        expect(new Set(sides).size).toBe(1)
      }
    }
  })

  it('refuses a class of copies of one photo, and a share that is none', () => {
    const copies = photosOf('a', 3).map((photo) => ({ ...photo, sha256: 'same' }))
    expect(() => stratifiedSplit(copies, { seed: 1, validShare: 0.2 })).toThrow(FlowersError)
    expect(() => stratifiedSplit(photosOf('a', 3), { seed: 1, validShare: 0 })).toThrow(RangeError)
  })
})
