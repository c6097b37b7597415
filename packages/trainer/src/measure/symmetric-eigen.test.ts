import { expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { matrixOf, productOfRows, transposed } from './matrix.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

it('knows the values of a chain of springs, 2 - 2 cos(pi j / (n + 1))', () => {
  const n = 12
  const chain = matrixOf(
    Array.from({ length: n }, (_, row) =>
      Array.from({ length: n }, (_, column) => (row === column ? 2 : Math.abs(row - column) === 1 ? -1 : 0)),
    ),
  )
  const { values } = symmetricEigen(chain)
  for (const [index, value] of values.entries()) {
    expect(value).toBeCloseTo(2 - 2 * Math.cos((Math.PI * (n - index)) / (n + 1)), 10)
  }
})

it('puts the matrix together again', () => {
  const random = new Random(1, 'drawing')
  const half = matrixOf(Array.from({ length: 9 }, () => Array.from({ length: 6 }, () => random.normal())))
  // Of rank 6: three values are 0.
  const matrix = productOfRows(half, half)
  const { values, vectors } = symmetricEigen(matrix)
  expect([...values]).toEqual([...values].sort((a, b) => b - a))
  for (const value of values.subarray(6)) expect(value).toBeCloseTo(0, 10)
  const products = productOfRows(vectors, vectors)
  products.values.forEach((value, place) => expect(value).toBeCloseTo(place % 10 === 0 ? 1 : 0, 10))
  const columns = transposed(vectors)
  const scaled = { ...columns, values: columns.values.map((value, place) => value * values[place % 9]!) }
  productOfRows(scaled, columns).values.forEach((value, place) => expect(value).toBeCloseTo(matrix.values[place]!, 9))
})
