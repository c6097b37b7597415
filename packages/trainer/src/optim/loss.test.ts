import '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { crossEntropy, smoothedTargets } from './loss.ts'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

it('smooths targets so that rows sum to one', () => {
  const rows = smoothedTargets(tf.tensor1d([2, 0], 'int32'), 4, 0.2).arraySync()
  const expected = [0.05, 0.05, 0.85, 0.05, 0.85, 0.05, 0.05, 0.05]
  rows.flat().forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? NaN, 6))
})

it('is the cross-entropy worked out by hand', () => {
  // softmax of (ln 1, ln 2, ln 5) is (1/8, 2/8, 5/8)
  const logits = tf.log(
    tf.tensor2d([
      [1, 2, 5],
      [5, 2, 1],
    ]),
  )
  const targets = tf.tensor2d([
    [0, 0, 1],
    [0.5, 0.5, 0],
  ])
  const first = -Math.log(5 / 8)
  const second = -0.5 * Math.log(5 / 8) - 0.5 * Math.log(2 / 8)
  expect(crossEntropy(logits, targets).dataSync()[0]).toBeCloseTo((first + second) / 2, 6)
})
