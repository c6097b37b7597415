import { describe, expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { gram, matrixOf, productOfRows, rowsAt, transposed, type Matrix } from './matrix.ts'

function drawn(rows: number, columns: number, seed: number): Matrix {
  const random = new Random(seed, 'drawing')
  return { rows, columns, values: Float64Array.from({ length: rows * columns }, () => random.normal()) }
}

/** The same by its definition. */
function plainProduct(a: Matrix, b: Matrix): number[] {
  return Array.from({ length: a.rows * b.rows }, (_, place) => {
    const [row, other] = [Math.floor(place / b.rows), place % b.rows]
    let sum = 0
    for (let i = 0; i < a.columns; i++) sum += a.values[row * a.columns + i]! * b.values[other * b.columns + i]!
    return sum
  })
}

const difference = (values: Float64Array, others: readonly number[]): number =>
  Math.max(...others.map((value, place) => Math.abs(value - values[place]!)))

describe('product of rows', () => {
  // Around the numbers of rows and columns that are taken at a time.
  it.each([
    [1, 1, 1],
    [4, 2, 256],
    [5, 3, 257],
    [7, 129, 300],
    [9, 131, 513],
  ])('of %i and %i rows, %i long, is that of the definition', (m, n, k) => {
    const [a, b] = [drawn(m, k, 1), drawn(n, k, 2)]
    const { rows, columns, values } = productOfRows(a, b)
    expect([rows, columns]).toEqual([m, n])
    expect(difference(values, plainProduct(a, b))).toBeLessThan(1e-10)
  })

  it('of a matrix with itself is symmetric', () => {
    const a = drawn(133, 259, 3)
    const { values } = gram(a)
    expect(difference(values, plainProduct(a, a))).toBeLessThan(1e-10)
  })

  it('wants rows of one length', () => {
    expect(() => productOfRows(drawn(2, 3, 1), drawn(2, 4, 1))).toThrow(RangeError)
    expect(() => matrixOf([[1, 2], [3]])).toThrow(RangeError)
  })
})

it('turns rows into columns, and takes rows by their places', () => {
  const matrix = matrixOf([
    [1, 2, 3],
    [4, 5, 6],
  ])
  expect(transposed(matrix)).toEqual(matrixOf([[1, 4], [2, 5], [3, 6]])) // prettier-ignore
  expect(rowsAt(matrix, [1, 1, 0])).toEqual(matrixOf([[4, 5, 6], [4, 5, 6], [1, 2, 3]])) // prettier-ignore
  expect(rowsAt(matrix, [])).toEqual({ rows: 0, columns: 3, values: new Float64Array() })
})
