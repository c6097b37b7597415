import { expect, it } from 'vitest'
import { foldsOf, originsOf } from './species.ts'

it('takes a folder below a first folder for a species, and every photo of a mixture for one of its own', () => {
  expect(originsOf(['things/cat.jpg', 'plants/viola/1.jpg', 'plants/viola/2.jpg', 'loose.jpg'], 'others')).toEqual([
    { group: 'things', species: 'things/cat.jpg' },
    { group: 'plants', species: 'plants/viola' },
    { group: 'plants', species: 'plants/viola' },
    { group: 'others', species: 'loose.jpg' },
  ])
})

it('takes folders side by side for species of one group, but a few of them for mixtures', () => {
  const ids = (...names: string[]) => names.flatMap((name) => [`${name}/1.jpg`, `${name}/2.jpg`])
  expect(originsOf(ids('a', 'b', 'c', 'd', 'e'), 'plants').slice(0, 3)).toEqual([
    { group: 'plants', species: 'a' },
    { group: 'plants', species: 'a' },
    { group: 'plants', species: 'b' },
  ])
  expect(originsOf(ids('things', 'animals'), 'others').slice(1, 3)).toEqual([
    { group: 'things', species: 'things/2.jpg' },
    { group: 'animals', species: 'animals/1.jpg' },
  ])
})

it('keeps a species in one fold, and levels the groups over the folds', () => {
  const origins = originsOf(
    [
      ...Array.from({ length: 50 }, (_, index) => `things/${index}.jpg`),
      ...Array.from({ length: 60 }, (_, index) => `plants/${index % 10}/${index}.jpg`),
    ],
    'others',
  )
  const folds = foldsOf(origins, 5, 1)
  const count = (group: string, fold: number): number =>
    origins.filter((origin, place) => origin.group === group && folds[place] === fold).length
  for (let fold = 0; fold < 5; fold++) {
    expect(count('things', fold)).toBe(10)
    expect(count('plants', fold)).toBe(12)
  }
  const foldsBySpecies = new Map<string, Set<number>>()
  for (const [place, { species }] of origins.entries())
    foldsBySpecies.set(species, (foldsBySpecies.get(species) ?? new Set()).add(folds[place]!))
  for (const own of foldsBySpecies.values()) expect(own.size).toBe(1)
  expect(foldsOf(origins, 5, 1)).toEqual(folds)
  expect(foldsOf(origins, 5, 2)).not.toEqual(folds)
})
