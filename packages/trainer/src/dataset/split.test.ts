import { FlowersError } from '@flowers/shared/errors'
import { describe, expect, it } from 'vitest'
import { stratifiedSplit, type Splittable } from './split.ts'

const photosOf = (label: string, total: number): Splittable[] =>
  Array.from({ length: total }, (_, index) => {
    const content = `${label}${index}`
    return { id: `${label}/${index}`, label, sha256: content, group: content }
  })

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

  it('keeps a group on one side', () => {
    const copies = photosOf('a', 30).map((photo, index) => ({ ...photo, group: `group ${index % 10}` }))
    for (let seed = 0; seed < 20; seed++) {
      const valid = stratifiedSplit(copies, { seed, validShare: 0.3 })
      expect(valid.size).toBe(9)
      for (let number = 0; number < 10; number++) {
        const sides = copies.filter(({ group }) => group === `group ${number}`).map(({ id }) => valid.has(id))
        expect(new Set(sides).size).toBe(1)
      }
    }
  })

  it('keeps a group of several labels on one side, training where a class has photos enough to validate on', () => {
    const photos = [...photosOf('a', 20), ...photosOf('b', 20), ...photosOf('c', 2)].map((photo) =>
      photo.id === 'a/3' || photo.id === 'b/7' ? { ...photo, group: 'both' } : photo,
    )
    for (let seed = 0; seed < 20; seed++) {
      const valid = [...stratifiedSplit(photos, { seed, validShare: 0.25 })]
      expect(['a', 'b', 'c'].map((label) => valid.filter((id) => id.startsWith(label)).length)).toEqual([5, 5, 1])
      expect(valid).not.toContain('a/3')
      expect(valid).not.toContain('b/7')
    }
    // Nothing but shared groups: one validates, so that both classes do.
    const shared = [...photosOf('a', 3), ...photosOf('b', 3)].map((photo) => ({ ...photo, group: photo.id.slice(2) }))
    const valid = [...stratifiedSplit(shared, { seed: 1, validShare: 0.2 })]
    expect(valid.map((id) => id.slice(2))).toEqual([valid[0]!.slice(2), valid[0]!.slice(2)])
  })

  it('trains on all of a class whose photos are near-duplicates of one', () => {
    const photos = [...photosOf('a', 4).map((photo) => ({ ...photo, group: 'burst' })), ...photosOf('b', 4)]
    expect([...stratifiedSplit(photos, { seed: 1, validShare: 0.25 })]).toEqual([expect.stringMatching(/^b/)])
  })

  it('refuses a class of copies of one photo, and a share that is none', () => {
    const copies = photosOf('a', 3).map((photo) => ({ ...photo, sha256: 'same' }))
    expect(() => stratifiedSplit(copies, { seed: 1, validShare: 0.2 })).toThrow(FlowersError)
    expect(() => stratifiedSplit(photosOf('a', 3), { seed: 1, validShare: 0 })).toThrow(RangeError)
  })
})
