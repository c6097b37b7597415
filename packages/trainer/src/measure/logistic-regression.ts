import { setImmediate } from 'node:timers/promises'
import { finish, minimizing } from './l-bfgs.ts'
import { productOfRows, transposed, type Matrix } from './matrix.ts'

export interface RegressionOptions {
  /** L2 penalty of the weights, not of the bias: `penalty / 2 * sum(weights ** 2)` beside the sum of the losses in nats (1 / C of scikit-learn). */
  readonly penalty: number
  /** How much each row counts, not negative; 1 unless said. */
  readonly sampleWeights?: ArrayLike<number>
  /** Largest value that the gradient of the mean loss may end with; 1e-5 unless said. */
  readonly tolerance?: number
  /** Most steps of the minimiser; 300 unless said. */
  readonly steps?: number
}

export interface LogisticRegression {
  /** [C][D] */
  readonly weights: Matrix
  /** [C]; minus infinity for a class that no row had. */
  readonly bias: Float64Array
  /** Steps that the minimiser took. */
  readonly steps: number
  /** Rows [N][D] to probabilities [N][C]. */
  readonly probabilities: (rows: Matrix) => Matrix
}

/**
 * Multinomial logistic regression with an L2 penalty, fitted by L-BFGS from zero weights and the logarithms of the class
 * shares (Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", section 4.4). Features should be of like
 * size, as the penalty treats all alike.
 *
 * @param data [N][D]
 * @param labels class of each row, in [0, classes)
 */
export function logisticRegression(
  data: Matrix,
  labels: ArrayLike<number>,
  classes: number,
  options: RegressionOptions,
): LogisticRegression {
  return finish(fitting(data, labels, classes, options))
}

/** The same for many rows: the event loop gets its turns. Rejects with the reason of an aborted signal. */
export async function logisticRegressionInTurns(
  data: Matrix,
  labels: ArrayLike<number>,
  classes: number,
  { signal, ...options }: RegressionOptions & { readonly signal?: AbortSignal | undefined },
): Promise<LogisticRegression> {
  const work = fitting(data, labels, classes, options)
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
    await setImmediate()
    signal?.throwIfAborted()
  }
}

function* fitting(
  data: Matrix,
  labels: ArrayLike<number>,
  classes: number,
  { penalty, sampleWeights, tolerance = 1e-5, steps: mostSteps = 300 }: RegressionOptions,
): Generator<void, LogisticRegression> {
  const { rows: n, columns: d } = data
  const counts = Float64Array.from({ length: n }, (_, row) => sampleWeights?.[row] ?? 1)
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total <= 0) throw new RangeError('no row counts for anything')
  const shares = new Float64Array(classes)
  for (let row = 0; row < n; row++) shares[labels[row]!]! += counts[row]! / total
  const features = transposed(data)
  const start = new Float64Array(classes * (d + 1))
  for (let c = 0; c < classes; c++) start[classes * d + c] = shares[c]! > 0 ? Math.log(shares[c]!) : 0
  const biasOf = (point: Float64Array): Float64Array =>
    point.slice(classes * d).map((value, c) => (shares[c]! > 0 ? value : -Infinity))
  const weightsOf = (point: Float64Array): Matrix => ({
    rows: classes,
    columns: d,
    values: point.subarray(0, classes * d),
  })

  const objective = (point: Float64Array, gradient: Float64Array): number => {
    const weights = weightsOf(point)
    const excess = classProbabilities(weights, biasOf(point), data)
    let loss = 0
    for (let row = 0; row < n; row++) {
      const own = labels[row]! * n + row
      loss -= counts[row]! * Math.log(Math.max(excess.values[own]!, smallest))
      excess.values[own]! -= 1
    }
    for (let place = 0; place < excess.values.length; place++) excess.values[place]! *= counts[place % n]! / total
    const slopes = productOfRows(excess, features).values
    let squares = 0
    for (let place = 0; place < classes * d; place++) {
      const weight = point[place]!
      squares += weight * weight
      gradient[place] = slopes[place]! + (penalty * weight) / total
    }
    for (let c = 0; c < classes; c++) {
      let sum = 0
      for (let row = 0; row < n; row++) sum += excess.values[c * n + row]!
      gradient[classes * d + c] = sum
    }
    return (loss + (penalty / 2) * squares) / total
  }

  const { point, steps } = yield* minimizing(objective, start, { tolerance, steps: mostSteps })
  const [weights, bias] = [weightsOf(point), biasOf(point)]
  return {
    weights,
    bias,
    steps,
    probabilities: (rows) => transposed(classProbabilities(weights, bias, rows)),
  }
}

export interface BinaryRegression {
  /** [D] */
  readonly weights: Float64Array
  readonly bias: number
  /** Log-odds of `true` for rows [N][D]. */
  readonly logits: (rows: Matrix) => Float64Array
}

/** Logistic regression of a yes or no, by one vector of weights; `penalty` is of that vector. */
export function binaryRegression(
  data: Matrix,
  truth: ArrayLike<boolean>,
  options: RegressionOptions,
): BinaryRegression {
  // At the optimum of two classes their weights are opposite, w / 2 each, so the squares add up to half of w's.
  const two = logisticRegression(data, Array.from(truth, Number), 2, { ...options, penalty: 2 * options.penalty })
  const d = data.columns
  const weights = Float64Array.from({ length: d }, (_, i) => two.weights.values[d + i]! - two.weights.values[i]!)
  const bias = two.bias[1]! - two.bias[0]!
  return {
    weights,
    bias,
    logits: (rows) => productOfRows(rows, { rows: 1, columns: d, values: weights }).values.map((value) => value + bias),
  }
}

/** A probability whose logarithm is still a number. */
const smallest = 1e-300

/** [C][N], class by class. */
function classProbabilities(weights: Matrix, bias: Float64Array, data: Matrix): Matrix {
  const [classes, n] = [weights.rows, data.rows]
  const { values } = productOfRows(weights, data)
  const largest = new Float64Array(n).fill(-Infinity)
  const sums = new Float64Array(n)
  for (let c = 0; c < classes; c++) {
    for (let row = 0; row < n; row++) {
      const logit = (values[c * n + row]! += bias[c]!)
      if (logit > largest[row]!) largest[row] = logit
    }
  }
  for (let c = 0; c < classes; c++) {
    for (let row = 0; row < n; row++) {
      sums[row]! += values[c * n + row] = Math.exp(values[c * n + row]! - largest[row]!)
    }
  }
  for (let c = 0; c < classes; c++) for (let row = 0; row < n; row++) values[c * n + row]! /= sums[row]!
  return { rows: classes, columns: n, values }
}
