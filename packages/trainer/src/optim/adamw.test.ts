import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { compile, startTensorflow, Variable } from '@flowers/tensorflow'
import { adamDefaults, applyAdamW, globalNorm } from './adamw.ts'

beforeAll(async () => {
  await startTensorflow()
})

const start = [0.5, -1, 2, 1e-3]
const gradientAt = (step: number): number[] => [0.1 * step, -2, 1e-7, 0.03 / step]

/** PyTorch's AdamW, written out for one array. */
function reference(steps: number, learningRate: number, weightDecay: number): number[] {
  const { beta1, beta2, epsilon } = adamDefaults
  return start.map((initial, index) => {
    let [weight, m, v] = [initial, 0, 0]
    for (let step = 1; step <= steps; step++) {
      const gradient = gradientAt(step)[index]!
      weight *= 1 - learningRate * weightDecay
      m = beta1 * m + (1 - beta1) * gradient
      v = beta2 * v + (1 - beta2) * gradient ** 2
      weight -= ((learningRate / (1 - beta1 ** step)) * m) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon)
    }
    return weight
  })
}

it.each([0, 0.1])('makes the updates of AdamW with weight decay %d', async (weightDecay) => {
  const variable = (name: string, data: number[]) =>
    new Variable(name, { shape: [data.length], dtype: 'float32', data: Float32Array.from(data) })
  const trained = {
    weight: variable('w', start),
    m: variable('m', [0, 0, 0, 0]),
    v: variable('v', [0, 0, 0, 0]),
  }
  const update = compile(
    (gradient: tf.Tensor, learningRate: tf.Tensor, beta1Power: tf.Tensor, beta2Power: tf.Tensor) => {
      applyAdamW(trained, {
        gradient,
        learningRate: learningRate as tf.Scalar,
        weightDecay,
        beta1Power: beta1Power as tf.Scalar,
        beta2Power: beta2Power as tf.Scalar,
      })
      return { done: tf.scalar(1) }
    },
  )
  for (let step = 1; step <= 5; step++) {
    const powers = [adamDefaults.beta1 ** step, adamDefaults.beta2 ** step].map((power) => tf.scalar(power)) as [
      tf.Scalar,
      tf.Scalar,
    ]
    await update.run(tf.tensor1d(gradientAt(step)), tf.scalar(0.01), ...powers)
  }
  const values = await trained.weight.data()
  reference(5, 0.01, weightDecay).forEach((expected, index) => expect(values[index]).toBeCloseTo(expected, 6))
})

it('takes the norm over all values of all tensors', () => {
  expect(
    globalNorm([
      tf.tensor1d([3]),
      tf.tensor2d([
        [0, 4],
        [12, 0],
      ]),
    ]).dataSync()[0],
  ).toBeCloseTo(13, 5)
})
