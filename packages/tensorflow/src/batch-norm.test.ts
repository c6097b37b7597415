import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { batchNormByBatch } from './batch-norm.ts'
import { compile, startTensorflow, stateless } from './index.ts'

beforeAll(async () => {
  await startTensorflow({ device: 'cpu' })
})

const epsilon = 1e-3
const normal = (shape: number[], seed: number): Tensor => stateless.normal(shape, tf.tensor1d([11, seed], 'int32'))
const inputs = (): [Tensor, Tensor, Tensor] => [normal([4, 3, 5, 6], 1), normal([6], 2), normal([6], 3)]
const dy = (): Tensor => normal([4, 3, 5, 6], 4)

function largestDifference(one: Tensor, two: Tensor): number {
  expect(one.shape).toEqual(two.shape)
  return tf.max(tf.abs(tf.sub(one, two))).dataSync()[0]!
}

const reference = (x: Tensor, gamma: Tensor, beta: Tensor): Tensor => {
  const { mean, variance } = tf.moments(x, [0, 1, 2])
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon))), gamma), beta)
}

it.each(['eager', 'traced'])('normalises by the batch, with the gradient through its statistics, %s', (mode) => {
  const differentiate = (...arrays: Tensor[]): Record<'value' | 'x' | 'gamma' | 'beta', Tensor> => {
    const ours = (...[x, gamma, beta]: Tensor[]): Tensor => batchNormByBatch(x!, gamma!, beta!, epsilon, () => {})
    const [x, gamma, beta] = tf.grads(ours)(arrays, dy()) as [Tensor, Tensor, Tensor]
    return { value: ours(...arrays), x, gamma, beta }
  }
  const compiled = compile(differentiate)
  const found = mode === 'eager' ? differentiate(...inputs()) : compiled.runSync(...inputs())
  compiled.dispose()
  const expected = tf.grads((...[x, gamma, beta]: Tensor[]) => reference(x!, gamma!, beta!))(inputs(), dy())
  expect(largestDifference(found.value, reference(...inputs()))).toBeLessThan(1e-5)
  expect(largestDifference(found.x, expected[0]!)).toBeLessThan(1e-4)
  expect(largestDifference(found.gamma, expected[1]!)).toBeLessThan(1e-4)
  expect(largestDifference(found.beta, expected[2]!)).toBeLessThan(1e-4)
})

it('hands over the mean, and the variance without bias', () => {
  const [x, gamma, beta] = inputs()
  const taken: Tensor[] = []
  batchNormByBatch(x, gamma, beta, epsilon, (mean, variance) => taken.push(tf.keep(mean), tf.keep(variance)))
  const { mean, variance } = tf.moments(x, [0, 1, 2])
  const count = 4 * 3 * 5
  expect(largestDifference(taken[0]!, mean)).toBeLessThan(1e-5)
  expect(largestDifference(taken[1]!, tf.mul(variance, count / (count - 1)))).toBeLessThan(1e-5)
})
