import { expect, it } from 'vitest'
import { heatMap } from './heat-map.ts'

const places = (values: number[]): number[][] => {
  const pixels = [...heatMap(values)]
  return values.map((_, place) => pixels.slice(4 * place, 4 * place + 4))
}

it('is as dark where something speaks against the class as where nothing speaks', () => {
  const [against, nothing, most] = places([-3, 0, 2])
  expect(against).toEqual(nothing)
  expect(most![3]).toBeLessThan(nothing![3]!)
  expect(most![0]).toBe(255)
})

it('does not depend on the unit of the map', () => {
  expect(heatMap([1, 2, 4, -1])).toEqual(heatMap([10, 20, 40, -500]))
})

it('gets brighter from place to place as more speaks for the class', () => {
  const brightness = places(Array.from({ length: 50 }, (_, place) => place)).map(([red, green]) => red! + green!)
  for (let place = 1; place < 50; place++) expect(brightness[place]).toBeGreaterThanOrEqual(brightness[place - 1]!)
  expect(brightness[49]).toBeGreaterThan(brightness[0]! + 300)
})

it('is dark everywhere when nothing speaks for the class', () => {
  expect(new Set(places([0, -1, -2]).map(String))).toHaveLength(1)
})
