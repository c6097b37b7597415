import { expect, it } from 'vitest'
import { finish, minimizing, type Objective } from './l-bfgs.ts'

const minimize = (objective: Objective, start: Float64Array, limits: { tolerance: number; steps: number }) =>
  finish(minimizing(objective, start, limits))

it('finds the bottom of a long valley', () => {
  // Half of sum(scale * (x - index)^2), the scales from 1 to 10,000.
  const scales = Array.from({ length: 12 }, (_, index) => 10 ** ((4 * index) / 11))
  const { point, steps } = minimize(
    (x, gradient) =>
      scales.reduce((sum, scale, index) => {
        gradient[index] = scale * (x[index]! - index)
        return sum + (scale / 2) * (x[index]! - index) ** 2
      }, 0),
    new Float64Array(12),
    { tolerance: 1e-5, steps: 1000 },
  )
  for (const [index, value] of point.entries()) expect(value).toBeCloseTo(index, 4)
  // Going straight downhill takes tens of thousands.
  expect(steps).toBeLessThan(300)
})

it('stops at once where there is nothing to gain, and when its steps are used up', () => {
  const square = (x: Float64Array, gradient: Float64Array): number => {
    gradient[0] = 2 * x[0]!
    return x[0]! ** 2
  }
  expect(minimize(square, Float64Array.of(0), { tolerance: 1e-9, steps: 9 })).toEqual({
    point: Float64Array.of(0),
    steps: 0,
  })
  expect(minimize(square, Float64Array.of(5), { tolerance: 0, steps: 1 }).steps).toBe(1)
})
