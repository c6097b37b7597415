import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { compile, startTensorflow, stateless } from './index.ts'

beforeAll(async () => {
  await startTensorflow({ device: 'cpu' })
})

const seed = (one: number, two: number) => tf.tensor1d([one, two], 'int32')

describe.each(['uniform', 'normal'] as const)('stateless.%s', (kind) => {
  const draw = stateless[kind]

  test('depends on the seed alone, inside a trace and outside', async () => {
    const traced = compile((seed: tf.Tensor) => ({ numbers: draw([1000], seed) }))
    const [one, again, other] = [
      (await traced.run(seed(1, 2))).numbers,
      (await traced.run(seed(1, 2))).numbers,
      (await traced.run(seed(1, 3))).numbers,
    ]
    expect(again.dataSync()).toEqual(one.dataSync())
    expect(draw([1000], seed(1, 2)).dataSync()).toEqual(one.dataSync())
    expect(other.dataSync()).not.toEqual(one.dataSync())
    expect(new Set(one.dataSync()).size).toBeGreaterThan(990)
  })

  test('has the mean and deviation of its distribution', () => {
    const { mean, variance } = tf.moments(draw([200, 500], seed(5, 6)))
    const expected = kind === 'uniform' ? [0.5, 1 / 12] : [0, 1]
    expect(mean.dataSync()[0]).toBeCloseTo(expected[0]!, 1.7)
    expect(variance.dataSync()[0]).toBeCloseTo(expected[1]!, 1.7)
  })
})
