import { expect, it } from 'vitest'
import { shareBySpecies, shareOf } from './share-by-species.ts'

const photos = (species: number, each: number, hits: (species: number, photo: number) => boolean) =>
  Array.from({ length: species * each }, (_, place) => ({
    species: String(Math.floor(place / each)),
    hit: hits(Math.floor(place / each), place % each),
  }))

it('has the share of photos, and an interval as wide as the species are few', () => {
  const alike = photos(10, 20, (species) => species < 8)
  const { value, low, high, count } = shareBySpecies(alike, 1)
  expect({ value, count }).toEqual({ value: 0.8, count: 200 })
  const asPhotos = shareOf(alike.map(({ hit }) => hit))
  expect(high - low).toBeGreaterThan(1.5 * (asPhotos.high - asPhotos.low))
  const spread = shareBySpecies(
    photos(10, 20, (_, photo) => photo < 16),
    1,
  )
  expect(spread.high - spread.low).toBeLessThan(1e-9)
})

it('claims of species that all agree no more than so many can show', () => {
  const all = shareBySpecies(
    photos(10, 20, () => true),
    1,
  )
  expect(all).toMatchObject({ value: 1, high: 1, count: 200 })
  expect(all.low).toBeCloseTo(0.692, 3)
  expect(
    shareBySpecies(
      photos(10, 20, () => false),
      1,
    ).high,
  ).toBeCloseTo(0.308, 3)
})

it('claims next to nothing of a single species, and of few no more than as many photos would', () => {
  const one = shareBySpecies(
    photos(1, 71, (_, photo) => photo < 2),
    1,
  )
  expect(one).toEqual({ value: 2 / 71, low: 0, high: 1, count: 71 })
  const three = shareBySpecies(
    photos(3, 20, (_, photo) => photo < 10),
    1,
  )
  expect(three.value).toBe(0.5)
  expect(three.low).toBeLessThan(0.1)
  expect(three.high).toBeGreaterThan(0.9)
})
