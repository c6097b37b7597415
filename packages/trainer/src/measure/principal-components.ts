import { Random } from '@flowers/shared/random'
import { gram, productOfRows, rowOf, transposed, type Matrix } from './matrix.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

export interface PrincipalComponents {
  /** Mean of each of the D features. */
  readonly mean: Float64Array
  /** [k][D]: directions of length 1 at right angles to each other; the largest value of each is positive. */
  readonly components: Matrix
  /** Variance along each component (divided by N - 1), largest first. */
  readonly variances: Float64Array
  /** Share of the whole variance that each component has, in [0, 1]. */
  readonly shares: Float64Array
}

/** Directions that are drawn beyond those asked for, as Halko et al. advise. */
const oversampling = 10
/** How often the directions are turned towards the largest variances. */
const iterations = 4
/** Of the whole variance, what is nothing but rounding. */
const negligible = 1e-12

/**
 * The directions of the largest variance, by randomised subspace iteration: Halko, Martinsson and Tropp, "Finding
 * structure with randomness" (2011, SIAM Review 53), algorithms 4.4 and 5.3, on the covariance matrix. The seed decides
 * where it starts; its result is that of the exact method, up to rounding, where variances fall off.
 *
 * @param data [N][D], at least two rows
 * @returns at most `count` components: fewer where the rows spread along fewer directions
 */
export function principalComponents(
  data: Matrix,
  { count, seed }: { readonly count: number; readonly seed: number },
): PrincipalComponents {
  const { rows: n, columns: d } = data
  if (n < 2) throw new RangeError(`${n} rows have no variance`)
  const mean = meanOf(data)
  const columns = transposed(centred(data, mean))
  const variance = columns.values.reduce((sum, value) => sum + value * value, 0) / (n - 1)
  const covariance = covarianceOf(columns)
  const width = Math.min(count + oversampling, d, n)
  let basis = orthonormal(drawn(width, d, seed))
  for (let step = 0; step < iterations; step++) basis = orthonormal(covariance(basis))
  const { values, vectors } = symmetricEigen(productOfRows(covariance(basis), basis))
  const kept = values.subarray(0, count).filter((value) => value > negligible * variance)
  const chosen = { rows: kept.length, columns: width, values: vectors.values.subarray(0, kept.length * width) }
  const components = productOfRows(chosen, transposed(basis))
  for (let row = 0; row < components.rows; row++) turnPositive(rowOf(components, row))
  return { mean, components, variances: kept, shares: kept.map((value) => value / variance) }
}

/** Rows [N][D] along the components: [N][k], with mean 0 over the rows that the components are of. */
export const project = (data: Matrix, { mean, components }: Pick<PrincipalComponents, 'mean' | 'components'>): Matrix =>
  productOfRows(centred(data, mean), components)

function meanOf({ rows, columns, values }: Matrix): Float64Array {
  const mean = new Float64Array(columns)
  values.forEach((value, place) => (mean[place % columns]! += value / rows))
  return mean
}

function centred({ rows, columns, values }: Matrix, mean: Float64Array): Matrix {
  return { rows, columns, values: values.map((value, place) => value - mean[place % columns]!) }
}

/** What the covariance matrix makes of directions [m][D], from the centred features [D][N]; it is spelled out only where that is the smaller. */
function covarianceOf(features: Matrix): (directions: Matrix) => Matrix {
  const n = features.columns
  if (features.rows <= n) {
    const matrix = scaled(gram(features), 1 / (n - 1))
    return (directions) => productOfRows(directions, matrix)
  }
  const rows = transposed(features)
  return (directions) => scaled(productOfRows(productOfRows(directions, rows), features), 1 / (n - 1))
}

function scaled(matrix: Matrix, factor: number): Matrix {
  return { ...matrix, values: matrix.values.map((value) => value * factor) }
}

function drawn(rows: number, columns: number, seed: number): Matrix {
  const random = new Random(seed, 'components')
  return { rows, columns, values: Float64Array.from({ length: rows * columns }, () => random.normal()) }
}

/** Rows of length 1 at right angles (Gram and Schmidt, twice against rounding); one that adds no direction becomes zero. */
function orthonormal(matrix: Matrix): Matrix {
  const result = { ...matrix, values: Float64Array.from(matrix.values) }
  for (let row = 0; row < result.rows; row++) {
    const own = rowOf(result, row)
    const before = Math.sqrt(dot(own, own))
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < row; other++) {
        const earlier = rowOf(result, other)
        const along = dot(own, earlier)
        for (let i = 0; i < own.length; i++) own[i]! -= along * earlier[i]!
      }
    }
    const length = Math.sqrt(dot(own, own))
    const factor = length > negligible * before ? 1 / length : 0
    for (let i = 0; i < own.length; i++) own[i]! *= factor
  }
  return result
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function turnPositive(row: Float64Array): void {
  const largest = row.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0)
  if (largest < 0) for (let i = 0; i < row.length; i++) row[i] = -row[i]!
}
