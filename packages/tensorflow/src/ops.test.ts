import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { depthwiseConv2d } from './depthwise.ts'
import { startTensorflow, stateless } from './index.ts'
import { gelu, layerNorm, relu6 } from './ops.ts'

beforeAll(async () => {
  await startTensorflow({ device: 'cpu' })
})

const normal = (shape: number[], seed: number): tf.Tensor => stateless.normal(shape, tf.tensor1d([11, seed], 'int32'))

function largestDifference(one: tf.Tensor, two: tf.Tensor): number {
  expect(one.shape).toEqual(two.shape)
  return tf.max(tf.abs(tf.sub(one, two))).dataSync()[0]!
}

type Fn = (...inputs: tf.Tensor[]) => tf.Tensor

/** Value and every gradient of `ours` against those that tfjs derives for `reference`. */
function expectSame(ours: Fn, reference: Fn, inputs: tf.Tensor[], tolerance: number): void {
  expect(largestDifference(ours(...inputs), reference(...inputs))).toBeLessThan(tolerance)
  const dy = normal(ours(...inputs).shape, 99)
  const [one, two] = [tf.grads(ours)(inputs, dy), tf.grads(reference)(inputs, dy)]
  one.forEach((gradient, index) => expect(largestDifference(gradient, two[index]!)).toBeLessThan(tolerance))
}

describe('layerNorm', () => {
  const reference = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor => {
    const { mean, variance } = tf.moments(x, -1, true)
    return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-6))), gamma), beta)
  }

  test.each([[[6, 10]], [[2, 5, 3, 10]]])('shape %j', (shape) => {
    expectSame(
      (x, g, b) => layerNorm(x, g, b),
      (x, g, b) => reference(x, g, b),
      [normal(shape, 1), normal([10], 2), normal([10], 3)],
      2e-5,
    )
  })
})

test('gelu', () => {
  const reference: Fn = (x) => tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.div(x, Math.SQRT2)))))
  expectSame((x) => gelu(x), reference, [tf.mul(normal([4, 50], 4), 3)], 1e-5)
  expect(gelu(tf.tensor1d([0, 1, -30])).arraySync()).toEqual([0, expect.closeTo(0.8413447, 6), -0])
})

describe('depthwiseConv2d', () => {
  test.each([
    [[2, 6, 6, 5], 7],
    [[3, 9, 5, 4], 5],
    [[8, 4, 4, 3], 3],
    [[4, 2, 2, 8], 7],
    [[4, 1, 1, 8], 7],
    [[4, 2, 3, 8], 7],
    [[4, 2, 2, 8], 5],
    [[4, 1, 2, 8], 3],
    [[1, 16, 16, 2], 7],
    [[64, 8, 8, 4], 7],
  ])('shape %j, filter %i', (shape, size) => {
    const reference: Fn = (x, filter) => tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same')
    expectSame(
      (x, filter) => depthwiseConv2d(x, filter),
      reference,
      [normal(shape, 5), normal([size, size, shape[3]!, 1], 6)],
      1e-3,
    )
  })
})

describe('convolutions of patches that do not overlap', () => {
  const convolve =
    (stride: number): Fn =>
    (x, filter) =>
      tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, 'valid')
  /** The same by shifted products: one for each place in the patch. */
  const reference =
    (side: number): Fn =>
    (x, filter) => {
      const [n, height, width, channels] = x.shape as [number, number, number, number]
      const split = tf.reshape(x, [n, height / side, side, width / side, side, channels] as never)
      const terms: tf.Tensor[] = []
      for (let row = 0; row < side; row++) {
        for (let column = 0; column < side; column++) {
          const pixels = tf.reshape(tf.slice(split, [0, 0, row, 0, column, 0], [-1, -1, 1, -1, 1, -1]), [-1, channels])
          const weights = tf.reshape(tf.slice(filter, [row, column, 0, 0], [1, 1, -1, -1]), [channels, -1])
          terms.push(tf.matMul(pixels, weights))
        }
      }
      return tf.reshape(tf.addN(terms), [n, height / side, width / side, filter.shape[3]!])
    }

  test.each([
    [[2, 8, 8, 3], 4],
    [[3, 4, 6, 5], 2],
  ])('shape %j, side %i', (shape, side) => {
    expectSame(convolve(side), reference(side), [normal(shape, 7), normal([side, side, shape[3]!, 6], 8)], 1e-4)
  })

  test('others are computed as ever', () => {
    const x = normal([1, 7, 7, 2], 9)
    expect(convolve(2)(x, normal([2, 2, 2, 3], 10)).shape).toEqual([1, 3, 3, 3])
    expect(convolve(1)(x, normal([2, 2, 2, 3], 10)).shape).toEqual([1, 6, 6, 3])
  })
})

test('relu6', () => {
  const x = tf.tensor1d([-7, -0.5, 0.25, 3, 5.75, 6.5, 40])
  expect(Array.from(relu6(x).dataSync())).toEqual([0, 0, 0.25, 3, 5.75, 6, 6])
  expect(
    Array.from(
      tf
        .grad(relu6)(x, tf.fill([7], 2))
        .dataSync(),
    ),
  ).toEqual([0, 0, 2, 2, 2, 0, 0])
})
