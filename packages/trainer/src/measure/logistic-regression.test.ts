import { describe, expect, it } from 'vitest'
import { binaryRegression, logisticRegression, logisticRegressionInTurns } from './logistic-regression.ts'
import { matrixOf, rowOf } from './matrix.ts'

const tight = { tolerance: 1e-10 }

// Made up; three classes that overlap.
const points = matrixOf([
  [-0.7, 0.5],
  [-0.9, 0.0],
  [-1.1, 0.2],
  [-1.2, 0.1],
  [1.2, 0.2],
  [0.6, 0.2],
  [1.1, 0.1],
  [-0.3, -0.7],
  [0.5, 0.3],
  [0.0, -0.3],
  [1.3, 0.0],
  [0.5, -0.1],
])
const given = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]

describe('multinomial', () => {
  it('without anything to go by gives the shares of the classes', () => {
    const { weights, probabilities } = logisticRegression(matrixOf([[0], [0], [0], [0]]), [0, 0, 1, 2], 3, {
      penalty: 1,
    })
    expect([...weights.values]).toEqual([0, 0, 0])
    expect([...probabilities(matrixOf([[7]])).values]).toEqual([
      expect.closeTo(0.5, 12),
      expect.closeTo(0.25, 12),
      expect.closeTo(0.25, 12),
    ])
  })

  it('is that of scikit-learn', () => {
    // scikit-learn 1.9.1: LogisticRegression(C=2, tol=1e-12).fit(points, given); biases less their mean.
    const expected = {
      weights: [-1.6648383, 0.69105274, 0.90570598, -0.42857485, 0.75913232, -0.26247789],
      bias: [-0.29654449, 0.11143381, 0.18511068],
      sixth: [0.08098433, 0.45515365, 0.46386202],
    }
    const { weights, bias, probabilities } = logisticRegression(points, given, 3, { ...tight, penalty: 0.5 })
    const middle = bias.reduce((sum, value) => sum + value, 0) / 3
    const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 6) as number)
    expect([...weights.values]).toEqual(close(expected.weights))
    expect(Array.from(bias, (value) => value - middle)).toEqual(close(expected.bias))
    expect([...rowOf(probabilities(points), 5)]).toEqual(close(expected.sixth))
  })

  it('of a row that counts twice is that of two rows', () => {
    const rows = Array.from(given, (_, row) => rowOf(points, row))
    const twice = logisticRegression(matrixOf([...rows, rows[5]!]), [...given, given[5]!], 3, {
      ...tight,
      penalty: 0.5,
    })
    const sampleWeights = given.map((_, row) => (row === 5 ? 2 : 1))
    const weighted = logisticRegression(points, given, 3, { ...tight, penalty: 0.5, sampleWeights })
    weighted.weights.values.forEach((value, place) => expect(value).toBeCloseTo(twice.weights.values[place]!, 7))
    weighted.bias.forEach((value, place) => expect(value).toBeCloseTo(twice.bias[place]!, 7))
  })

  it('gives nothing to a class that no row has', () => {
    const { bias, probabilities } = logisticRegression(
      points,
      given.map((label) => 2 * label),
      5,
      { penalty: 1 },
    )
    expect([bias[1], bias[3]]).toEqual([-Infinity, -Infinity])
    const first = rowOf(probabilities(points), 0)
    expect([first[1], first[3]]).toEqual([0, 0])
    expect(first.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12)
  })

  it('in turns is the same, and stops when it is asked to', async () => {
    const options = { ...tight, penalty: 0.5 }
    const { weights } = await logisticRegressionInTurns(points, given, 3, options)
    expect(weights).toEqual(logisticRegression(points, given, 3, options).weights)
    const reason = new Error('enough')
    const stopped = logisticRegressionInTurns(points, given, 3, { ...options, signal: AbortSignal.abort(reason) })
    await expect(stopped).rejects.toBe(reason)
  })

  it('wants rows that count', () => {
    expect(() => logisticRegression(points, given, 3, { penalty: 1, sampleWeights: given.map(() => 0) })).toThrow(
      RangeError,
    )
  })
})

describe('binary', () => {
  it('is that of scikit-learn', () => {
    // scikit-learn 1.9.1: LogisticRegression(C=2, tol=1e-12).fit(points, given == 2).
    const last = given.map((label) => label === 2)
    const { weights, bias } = binaryRegression(points, last, { ...tight, penalty: 0.5 })
    expect([...weights, bias]).toEqual([0.84177841, -0.41973102, -0.84132278].map((value) => expect.closeTo(value, 6)))
  })

  it('balances the slope against the penalty', () => {
    // At +1 and -1, three times each: 6 / (1 + exp(w)) = penalty * w where the loss is least; the bias is 0.
    const rows = matrixOf([[1], [1], [1], [-1], [-1], [-1]])
    const { weights, bias, logits } = binaryRegression(rows, [true, true, true, false, false, false], {
      ...tight,
      penalty: 0.7,
    })
    const [w] = weights
    expect(6 / (1 + Math.exp(w!))).toBeCloseTo(0.7 * w!, 8)
    expect(bias).toBeCloseTo(0, 8)
    expect([...logits(matrixOf([[2], [0]]))]).toEqual([expect.closeTo(2 * w!, 8), expect.closeTo(0, 8)])
  })
})
