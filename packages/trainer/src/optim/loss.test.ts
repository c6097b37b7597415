import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { startTensorflow } from '@flowers/tensorflow'
import { classificationLoss, distillationLoss, smoothedTargets } from './loss.ts'

beforeAll(async () => {
  await startTensorflow()
})

it('smooths targets so that rows sum to one', () => {
  const rows = smoothedTargets(tf.tensor1d([2, 0], 'int32'), 4, 0.2).arraySync()
  const expected = [0.05, 0.05, 0.85, 0.05, 0.85, 0.05, 0.05, 0.05]
  rows.flat().forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? NaN, 6))
  expect(smoothedTargets(tf.tensor1d([1], 'int32'), 2, tf.scalar(0.5)).arraySync()).toEqual([[0.25, 0.75]])
})

describe('classificationLoss', () => {
  // softmax of (ln 1, ln 2, ln 5) is (1/8, 2/8, 5/8)
  const logits = () =>
    tf.log(
      tf.tensor2d([
        [1, 2, 5],
        [5, 2, 1],
      ]),
    )
  const targets = () =>
    tf.tensor2d([
      [0, 0, 1],
      [0.5, 0.5, 0],
    ])
  const value = (options: Parameters<typeof classificationLoss>[2]) =>
    classificationLoss(logits(), targets(), options).dataSync()[0]
  const ln = (share: number) => -Math.log(share)

  it('is the cross-entropy worked out by hand', () => {
    expect(value({ classWeights: null, focalGamma: 0 })).toBeCloseTo(
      (ln(5 / 8) + 0.5 * ln(5 / 8) + 0.5 * ln(2 / 8)) / 2,
      6,
    )
  })

  it('multiplies each class term with its weight', () => {
    expect(value({ classWeights: [2, 0.5, 0.25], focalGamma: 0 })).toBeCloseTo(
      (0.25 * ln(5 / 8) + ln(5 / 8) + 0.25 * ln(2 / 8)) / 2,
      6,
    )
  })

  it('takes away from classes that are already right, by the plain probability', () => {
    const focal = (share: number) => (1 - share) ** 2 * ln(share)
    expect(value({ classWeights: null, focalGamma: 2 })).toBeCloseTo(
      (focal(5 / 8) + 0.5 * focal(5 / 8) + 0.5 * focal(2 / 8)) / 2,
      6,
    )
    expect(value({ classWeights: [4, 4, 4], focalGamma: 2 })).toBeCloseTo(
      4 * value({ classWeights: null, focalGamma: 2 })!,
      5,
    )
  })

  it.each([0.5, 1, 1.5])('has a finite gradient where a class is certain, with gamma %f', (focalGamma) => {
    const gradient = tf.grad((x: tf.Tensor) =>
      classificationLoss(x as tf.Tensor2D, tf.tensor2d([[1, 0]]), { classWeights: null, focalGamma }),
    )
    expect([...gradient(tf.tensor2d([[80, -80]])).dataSync()].every(Number.isFinite)).toBe(true)
  })
})

it('compares softened answers with those of a teacher, at any temperature with a gradient of the same size', () => {
  // Softened by 2, (ln 1, ln 4, ln 25) has the softmax (1/8, 2/8, 5/8).
  const logits = tf.log(tf.tensor2d([[1, 4, 25]]))
  const targets = tf.tensor2d([[0.5, 0.5, 0]])
  const expected = 4 * -(0.5 * Math.log(1 / 8) + 0.5 * Math.log(2 / 8))
  expect(distillationLoss(logits, targets, 2).dataSync()[0]).toBeCloseTo(expected, 5)
  const gradient = tf
    .grad((x) => distillationLoss(x as tf.Tensor2D, targets, 2))(logits)
    .dataSync()
  // T times (softmax - target).
  const slopes = [1 / 8 - 0.5, 2 / 8 - 0.5, 5 / 8].map((difference) => 2 * difference)
  slopes.forEach((slope, index) => expect(gradient[index]).toBeCloseTo(slope, 5))
})
