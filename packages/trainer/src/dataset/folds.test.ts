import { groupBy } from '@flowers/shared/group-by'
import { expect, it } from 'vitest'
import { foldsOf } from './folds.ts'
import type { Splittable } from './split.ts'

const photo = (label: string, name: number, group = `${label}/${name}`): Splittable => ({
  id: `${label}/${name}.jpg`,
  label,
  sha256: `${label}/${name}`,
  group,
})
const photosOf = (label: string, count: number): Splittable[] =>
  Array.from({ length: count }, (_, name) => photo(label, name))
const options = { folds: 5, seed: 3 }

it('has every photo once, and of each class as many in each fold as can be', () => {
  const photos = [...photosOf('rose', 23), ...photosOf('tulip', 11), ...photosOf('daisy', 3)]
  const folds = foldsOf(photos, options)
  expect(folds.size).toBe(photos.length)
  for (const [label, most] of Object.entries({ rose: 5, tulip: 3, daisy: 1 })) {
    const sizes = [
      ...groupBy(
        photos.filter((each) => each.label === label),
        ({ id }) => folds.get(id),
      ).values(),
    ].map(({ length }) => length)
    expect(Math.max(...sizes)).toBe(most)
  }
  const totals = [...groupBy(folds.values(), (fold) => fold).values()].map(({ length }) => length)
  expect(Math.max(...totals) - Math.min(...totals)).toBeLessThanOrEqual(2)
})

it('keeps near-duplicates in one fold, of several classes too', () => {
  const photos = [
    ...photosOf('rose', 12),
    ...photosOf('tulip', 12),
    ...[20, 21, 22].map((name) => photo('rose', name, 'burst')),
    photo('tulip', 20, 'burst'),
  ]
  const folds = foldsOf(photos, options)
  const burst = photos.filter(({ group }) => group === 'burst').map(({ id }) => folds.get(id))
  expect(burst).toHaveLength(4)
  expect(new Set(burst).size).toBe(1)
})

it('takes no class out of the training of any fold', () => {
  const photos = [
    ...photosOf('rose', 12),
    photo('orchid', 0),
    photo('lily', 0, 'burst'),
    photo('lily', 1, 'burst'),
    ...photosOf('daisy', 2),
  ]
  const folds = foldsOf(photos, { folds: 2, seed: 1 })
  expect(photos.filter(({ id }) => !folds.has(id)).map(({ label }) => label)).toEqual(['orchid', 'lily', 'lily'])
  expect(folds.get('daisy/0.jpg')).not.toBe(folds.get('daisy/1.jpg'))
})

it('depends on photos and seed, not on their order', () => {
  const photos = [...photosOf('rose', 30), ...photosOf('tulip', 30)]
  const folds = foldsOf(photos, options)
  expect(foldsOf(photos.toReversed(), options)).toEqual(folds)
  expect(foldsOf(photos, { ...options, seed: 4 })).not.toEqual(folds)
})
