import { describe, expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { gram, matrixOf, rowOf, rowsAt, transposed, type Matrix } from './matrix.ts'
import { principalComponents, project } from './principal-components.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** Features that share a few causes of falling strength, with noise. */
function features(rows: number, columns: number, seed: number): Matrix {
  const random = new Random(seed, 'drawing')
  const causes = Array.from({ length: 6 }, (_, cause) =>
    Array.from({ length: columns }, () => random.normal() * 0.7 ** cause),
  )
  return matrixOf(
    Array.from({ length: rows }, () => {
      const row = Array.from({ length: columns }, (_, column) => column / 10 + 0.05 * random.normal())
      for (const cause of causes) {
        const strength = random.normal()
        cause.forEach((value, column) => (row[column]! += strength * value))
      }
      return row
    }),
  )
}

/** Variances along all components, from the covariance matrix itself. */
function exactVariances(data: Matrix): Float64Array {
  const columns = transposed(data)
  for (let column = 0; column < columns.rows; column++) {
    const values = rowOf(columns, column)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    values.forEach((value, row) => (values[row] = value - mean))
  }
  const { values, ...shape } = gram(columns)
  return symmetricEigen({ ...shape, values: values.map((value) => value / (data.rows - 1)) }).values
}

const largestDifference = (values: Float64Array, expected: (place: number) => number): number =>
  values.reduce((most, value, place) => Math.max(most, Math.abs(value - expected(place))), 0)

describe('principal components', () => {
  it('of points along a line are the line', () => {
    // (3, 4) times -2 .. 2 around (1, 1): the variance of -2 .. 2 is 2.5, and the line has length 5.
    const data = matrixOf([-2, -1, 0, 1, 2].map((t) => [1 + 3 * t, 1 + 4 * t]))
    const { mean, components, variances, shares } = principalComponents(data, { count: 2, seed: 1 })
    expect([...mean]).toEqual([1, 1])
    expect([...variances]).toEqual([expect.closeTo(62.5, 9)])
    expect([...shares]).toEqual([expect.closeTo(1, 9)])
    expect([...components.values]).toEqual([expect.closeTo(0.6, 9), expect.closeTo(0.8, 9)])
  })

  it.each([
    ['more rows than features', 90, 40],
    ['more features than rows', 40, 90],
  ])('with %s have the variances of the covariance matrix', (_, rows, columns) => {
    const data = features(rows, columns, 2)
    const { variances, shares, components, mean } = principalComponents(data, { count: 6, seed: 1 })
    const exact = exactVariances(data)
    const total = exact.reduce((sum, value) => sum + value, 0)
    expect(components).toMatchObject({ rows: 6, columns })
    for (const [index, value] of variances.entries()) {
      expect(value / exact[index]!).toBeCloseTo(1, 8)
      expect(shares[index]!).toBeCloseTo(exact[index]! / total, 8)
    }
    expect(largestDifference(gram(components).values, (place) => (place % 7 === 0 ? 1 : 0))).toBeLessThan(1e-8)
    // What is projected has these variances, and no component knows of another.
    const along = transposed(project(data, { mean, components }))
    const squares = gram(along).values.map((value) => value / (rows - 1))
    expect(largestDifference(squares, (place) => (place % 7 === 0 ? variances[place / 7]! : 0))).toBeLessThan(1e-6)
  })

  it('do not depend on where they start', () => {
    const data = features(60, 30, 3)
    const [one, other] = [1, 2].map((seed) => principalComponents(data, { count: 5, seed }))
    const { values } = other!.components
    expect(largestDifference(one!.components.values, (place) => values[place]!)).toBeLessThan(1e-6)
    expect(principalComponents(data, { count: 5, seed: 1 })).toEqual(one)
  })

  it('are no more than the rows allow', () => {
    const three = rowsAt(features(60, 30, 3), [0, 1, 2])
    expect(principalComponents(three, { count: 20, seed: 1 }).components.rows).toBe(2)
    const same = matrixOf([
      [1, 2],
      [1, 2],
    ])
    expect(principalComponents(same, { count: 2, seed: 1 }).components.rows).toBe(0)
    expect(() => principalComponents(matrixOf([[1, 2]]), { count: 1, seed: 1 })).toThrow(RangeError)
  })
})
