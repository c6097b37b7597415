import { expect, it } from 'vitest'
import { heatMap } from './heat-map.ts'

/** Pixels of a map of one row, drawn `side` wide: the first row. */
function row(values: number[], side = values.length): number[][] {
  const pixels = heatMap({ values, height: 1, width: values.length }, side)
  return Array.from({ length: side }, (_, x) => [...pixels.subarray(4 * x, 4 * x + 4)])
}

it('is as dark where something speaks against the class as where nothing speaks', () => {
  const [against, nothing, most] = row([-3, 0, 2])
  expect(against).toEqual(nothing)
  expect(most![3]).toBeLessThan(nothing![3]! / 4)
})

it('does not depend on the unit of the map', () => {
  expect(row([1, 2, 4, -1])).toEqual(row([10, 20, 40, -500]))
})

it('lets more of the picture through the more speaks for the class, without steps', () => {
  const opacities = row([0, 1, 2, 3, 4], 200).map(([, , , opacity]) => opacity!)
  for (let x = 1; x < 200; x++) {
    expect(opacities[x]).toBeLessThanOrEqual(opacities[x - 1]!)
    expect(opacities[x - 1]! - opacities[x]!).toBeLessThan(3)
  }
  expect(opacities[0]! - opacities[199]!).toBeGreaterThan(150)
})

it('is dark everywhere when nothing speaks for the class', () => {
  expect(new Set(row([0, -1, -2]).map(String))).toHaveLength(1)
})

it('keeps rows and columns apart', () => {
  const pixels = heatMap({ values: [0, 0, 0, 0, 0, 1], height: 2, width: 3 }, 60)
  const opacity = (x: number, y: number): number => pixels[4 * (y * 60 + x) + 3]!
  expect(opacity(55, 55)).toBe(20)
  expect([opacity(5, 5), opacity(55, 5), opacity(5, 55)]).toEqual([190, 190, 190])
})
