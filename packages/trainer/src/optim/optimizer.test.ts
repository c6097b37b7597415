import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { compile, startTensorflow, Variable } from '@flowers/tensorflow'
import {
  accumulation,
  adamDefaults,
  applyAdamW,
  emaDecay,
  globalNorm,
  initialLossScale,
  nextLossScale,
  updatesPerEpoch,
  type LossScale,
} from './optimizer.ts'

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

/** `of` of each micro-step, with a stroke after an update. */
const epoch = (microSteps: number, accumulate: number): string =>
  Array.from({ length: microSteps }, (_, step) => accumulation(step, microSteps, accumulate))
    .map(({ of, complete }) => `${of}${complete ? '|' : ''}`)
    .join('')

it('updates after every full set of micro-steps and at the end of an epoch', () => {
  expect(epoch(3, 1)).toBe('1|1|1|')
  expect(epoch(6, 3)).toBe('333|333|')
  expect(epoch(7, 3)).toBe('333|333|1|')
  expect(epoch(2, 8)).toBe('22|')
  expect([updatesPerEpoch(6, 3), updatesPerEpoch(7, 3), updatesPerEpoch(2, 8)]).toEqual([2, 3, 1])
})

it('warms up as timm does and stops at the decay asked for', () => {
  const options = { decay: 0.999, power: 2 / 3 }
  expect(emaDecay(options, 1)).toBe(0)
  expect(emaDecay(options, 8)).toBeCloseTo(0.75, 12)
  expect(emaDecay(options, 27)).toBeCloseTo(1 - 1 / 9, 12)
  expect(emaDecay(options, 31_622)).toBeLessThan(0.999)
  expect(emaDecay(options, 31_625)).toBe(0.999)
})

/** Scale after as many finite (+) or overflowing (-) updates. */
const after = (start: LossScale, ...runs: number[]): LossScale | null =>
  runs
    .flatMap((run) => new Array<boolean>(Math.abs(run)).fill(run > 0))
    .reduce<LossScale | null>((scale, finite) => scale && nextLossScale(scale, finite), start)

it('doubles after 2,000 finite updates in a row, and halves at an overflow', () => {
  expect(initialLossScale).toEqual({ value: 65_536, good: 0 })
  expect(after(initialLossScale, 1999)).toEqual({ value: 65_536, good: 1999 })
  expect(after(initialLossScale, 2000)).toEqual({ value: 131_072, good: 0 })
  expect(after(initialLossScale, -1)).toEqual({ value: 32_768, good: 0 })
  // The overflow resets the count: 1,999 + 1 good ones are not in a row.
  expect(after(initialLossScale, 1999, -1, 1)).toEqual({ value: 32_768, good: 1 })
  expect(after(initialLossScale, -3, 4000)).toEqual({ value: 32_768, good: 0 })
})

it('ends at 1: sixteen halvings of 65,536, and no seventeenth', () => {
  expect(after(initialLossScale, -16)).toEqual({ value: 1, good: 0 })
  expect(after(initialLossScale, -17)).toBeNull()
  expect(after({ value: 1.5, good: 7 }, -1)).toEqual({ value: 1, good: 0 })
})
