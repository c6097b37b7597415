import { transposed, zeros, type Matrix } from './matrix.ts'

const mostSweeps = 30
/** Of the sum of squares, what may be left beside the diagonal. */
const negligible = 1e-24

/**
 * Eigenvalues and eigenvectors of a small symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan, "Matrix
 * Computations", 4th edition, section 8.5).
 *
 * @param matrix [n][n], symmetric
 * @returns eigenvalues, largest first, and eigenvectors [n][n], one a row, of length 1
 */
export function symmetricEigen(matrix: Matrix): { values: Float64Array; vectors: Matrix } {
  const n = matrix.rows
  const a = Float64Array.from(matrix.values)
  const v = zeros(n, n)
  for (let i = 0; i < n; i++) v.values[i * n + i] = 1
  const limit = negligible * a.reduce((sum, value) => sum + value * value, 0)
  for (let sweep = 0; sweep < mostSweeps && besideDiagonal(a, n) > limit; sweep++) {
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotate(a, v.values, n, p, q)
  }
  const order = Array.from({ length: n }, (_, index) => index).sort((i, j) => a[j * n + j]! - a[i * n + i]!)
  const columns = transposed(v)
  const vectors = zeros(n, n)
  for (const [row, index] of order.entries()) {
    vectors.values.set(columns.values.subarray(index * n, (index + 1) * n), row * n)
  }
  return { values: Float64Array.from(order, (index) => a[index * n + index]!), vectors }
}

function besideDiagonal(a: Float64Array, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) sum += 2 * a[i * n + j]! ** 2
  return sum
}

/** Turns rows and columns p and q so that what they share vanishes, and the eigenvectors with them. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const shared = a[p * n + q]!
  if (shared === 0) return
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * shared)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const c = 1 / Math.hypot(t, 1)
  const s = t * c
  for (let k = 0; k < n; k++) {
    const [kp, kq] = [a[k * n + p]!, a[k * n + q]!]
    a[k * n + p] = c * kp - s * kq
    a[k * n + q] = s * kp + c * kq
  }
  for (let k = 0; k < n; k++) {
    const [pk, qk] = [a[p * n + k]!, a[q * n + k]!]
    a[p * n + k] = c * pk - s * qk
    a[q * n + k] = s * pk + c * qk
    const [kp, kq] = [v[k * n + p]!, v[k * n + q]!]
    v[k * n + p] = c * kp - s * kq
    v[k * n + q] = s * kp + c * kq
  }
}
