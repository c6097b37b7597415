/** Numbers in rows, row by row: the value of a row and a column is `values[row * columns + column]`. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly values: Float64Array
}

/** A matrix of zeros. */
export const zeros = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  values: new Float64Array(rows * columns),
})

/** Copies rows of equal length; `columns` is asked for where there may be no row. */
export function matrixOf(rows: readonly ArrayLike<number>[], columns = rows[0]?.length ?? 0): Matrix {
  const matrix = zeros(rows.length, columns)
  for (const [row, values] of rows.entries()) {
    if (values.length !== columns) throw new RangeError(`row ${row} has ${values.length} values, not ${columns}`)
    matrix.values.set(values, row * columns)
  }
  return matrix
}

/** One row, as a view of the matrix's own memory. */
export const rowOf = ({ values, columns }: Matrix, row: number): Float64Array =>
  values.subarray(row * columns, (row + 1) * columns)

/** Copies some rows, in the order they are named. */
export const rowsAt = (matrix: Matrix, rows: readonly number[]): Matrix =>
  matrixOf(
    rows.map((row) => rowOf(matrix, row)),
    matrix.columns,
  )

export function transposed({ rows, columns, values }: Matrix): Matrix {
  const result = zeros(columns, rows)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result.values[column * rows + row] = values[row * columns + column]!
    }
  }
  return result
}

/** Values along a row, and rows of `b`, that stay in the processor's cache while they are used. */
const depth = 256
const breadth = 128

/**
 * `a` times the transpose of `b`: the inner product of each row of `a` with each row of `b`.
 *
 * @param a [m][k]
 * @param b [n][k]
 * @returns [m][n]
 */
export function productOfRows(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.columns) throw new RangeError(`rows of ${a.columns} and of ${b.columns} values have no product`)
  const result = zeros(a.rows, b.rows)
  for (let start = 0; start < a.columns; start += depth) {
    for (let first = 0; first < b.rows; first += breadth) {
      addProducts(a, b, result, { from: 0, first, start })
    }
  }
  return result
}

/** `a` times its own transpose, in half the time. */
export function gram(a: Matrix): Matrix {
  const result = zeros(a.rows, a.rows)
  for (let start = 0; start < a.columns; start += depth) {
    for (let first = 0; first < a.rows; first += breadth) {
      addProducts(a, a, result, { from: first, first, start })
    }
  }
  for (let row = 0; row < a.rows; row++) {
    for (let column = row + 1; column < a.rows; column++) {
      result.values[row * a.rows + column] = result.values[column * a.rows + row]!
    }
  }
  return result
}

/** Adds the products of the rows of `a` from `from` with a block of `b`, over a part of the columns. */
function addProducts(
  a: Matrix,
  b: Matrix,
  result: Matrix,
  { from, first, start }: { from: number; first: number; start: number },
): void {
  const k = a.columns
  const end = Math.min(start + depth, k)
  const last = Math.min(first + breadth, b.rows)
  const [x, y, sums] = [a.values, b.values, result.values]
  let row = from
  // Four rows by two at a time: eight sums stay in registers, and each value that is loaded is used more than once.
  for (; row + 4 <= a.rows; row += 4) {
    const [r0, r1, r2, r3] = [row * k, (row + 1) * k, (row + 2) * k, (row + 3) * k]
    let other = first
    for (; other + 2 <= last; other += 2) {
      const [o0, o1] = [other * k, (other + 1) * k]
      let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0]
      for (let i = start; i < end; i++) {
        const y0 = y[o0 + i]!
        const y1 = y[o1 + i]!
        const x0 = x[r0 + i]!
        const x1 = x[r1 + i]!
        const x2 = x[r2 + i]!
        const x3 = x[r3 + i]!
        s00 += x0 * y0
        s01 += x0 * y1
        s10 += x1 * y0
        s11 += x1 * y1
        s20 += x2 * y0
        s21 += x2 * y1
        s30 += x3 * y0
        s31 += x3 * y1
      }
      const place = row * b.rows + other
      sums[place]! += s00
      sums[place + 1]! += s01
      sums[place + b.rows]! += s10
      sums[place + b.rows + 1]! += s11
      sums[place + 2 * b.rows]! += s20
      sums[place + 2 * b.rows + 1]! += s21
      sums[place + 3 * b.rows]! += s30
      sums[place + 3 * b.rows + 1]! += s31
    }
    if (other < last) for (let one = row; one < row + 4; one++) addProduct(one, other)
  }
  for (; row < a.rows; row++) for (let other = first; other < last; other++) addProduct(row, other)

  function addProduct(row: number, other: number): void {
    let sum = 0
    for (let i = start; i < end; i++) sum += x[row * k + i]! * y[other * k + i]!
    sums[row * b.rows + other]! += sum
  }
}
