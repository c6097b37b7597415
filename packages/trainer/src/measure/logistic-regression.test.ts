import { describe, expect, it } from 'vitest'
import { binaryRegression, logisticRegression, logisticRegressionInTurns } from './logistic-regression.ts'
import { matrixOf, rowOf } from './matrix.ts'

const tight = { tolerance: 1e-10 }

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

  // sepal length and width of twelve irises of Fisher (1936), less their rounded means; two of each species apart.
  const irises = matrixOf([
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
  const species = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]

  it('is that of scikit-learn', () => {
    // SCIKIT
  })

  it('of a row that counts twice is that of two rows', () => {
    const rows = Array.from(species, (_, row) => rowOf(irises, row))
    const twice = logisticRegression(matrixOf([...rows, rows[5]!]), [...species, species[5]!], 3, {
      ...tight,
      penalty: 0.5,
    })
    const sampleWeights = species.map((_, row) => (row === 5 ? 2 : 1))
    const weighted = logisticRegression(irises, species, 3, { ...tight, penalty: 0.5, sampleWeights })
    weighted.weights.values.forEach((value, place) => expect(value).toBeCloseTo(twice.weights.values[place]!, 7))
    weighted.bias.forEach((value, place) => expect(value).toBeCloseTo(twice.bias[place]!, 7))
  })

  it('gives nothing to a class that no row has', () => {
    const { bias, probabilities } = logisticRegression(
      irises,
      species.map((label) => 2 * label),
      5,
      { penalty: 1 },
    )
    expect([bias[1], bias[3]]).toEqual([-Infinity, -Infinity])
    const [first] = [rowOf(probabilities(irises), 0)]
    expect([first![1], first![3]]).toEqual([0, 0])
    expect(first!.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12)
  })

  it('in turns is the same, and stops when it is asked to', async () => {
    const options = { ...tight, penalty: 0.5 }
    const { weights } = await logisticRegressionInTurns(irises, species, 3, options)
    expect(weights).toEqual(logisticRegression(irises, species, 3, options).weights)
    const reason = new Error('enough')
    const stopped = logisticRegressionInTurns(irises, species, 3, { ...options, signal: AbortSignal.abort(reason) })
    await expect(stopped).rejects.toBe(reason)
  })

  it('wants rows that count', () => {
    expect(() => logisticRegression(irises, species, 3, { penalty: 1, sampleWeights: species.map(() => 0) })).toThrow(
      RangeError,
    )
  })
})

describe('binary', () => {
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
