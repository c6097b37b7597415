import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Attribute } from './attribute.ts'
import { rawOp } from './raw-op.ts'

/** Mean and variance [C] of a batch; the variance is the unbiased one, for the moving average. */
export type TakeStatistics = (mean: Tensor, variance: Tensor) => void

/**
 * Batch normalisation by the batch's own statistics (Ioffe and Szegedy 2015, arXiv:1502.03167):
 * `(x - mean) / sqrt(variance + epsilon) * gamma + beta` per channel, with the biased variance. The gradient goes through
 * the statistics.
 *
 * @param x [N, H, W, C]
 * @param gamma [C]
 * @param beta [C]
 * @param take receives the statistics, during the call; dispose of nothing.
 */
export function batchNormByBatch(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  epsilon: number,
  take: TakeStatistics,
): Tensor {
  const attributes: Attribute[] = [
    { name: 'T', type: 'type', value: 'float32' },
    { name: 'U', type: 'type', value: 'float32' },
    { name: 'epsilon', type: 'float', value: epsilon },
    { name: 'data_format', type: 'string', value: 'NHWC' },
    { name: 'is_training', type: 'bool', value: true },
  ]
  const channels = [gamma.size]
  const normalize = tf.customGrad((...args) => {
    const [x, gamma, beta, save] = args as unknown as [Tensor, Tensor, Tensor, tf.GradSaveFunc]
    const none = tf.tensor1d([])
    const shapes = [x.shape, channels, channels, channels, channels, [0]]
    const outputs = rawOp('FusedBatchNormV3', attributes, [x, gamma, beta, none, none], 6, shapes)
    const [value, mean, variance, first, second, third] = outputs as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
    take(mean, variance)
    save([x, gamma, first, second, third])
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const [x, gamma, first, second, third] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor]
      const inputs = [dy, x, gamma, first, second, third]
      return rawOp('FusedBatchNormGradV3', attributes, inputs, 5, [x.shape, channels, channels, [0], [0]]).slice(0, 3)
    }
    return { value, gradFunc }
  })
  return normalize(x, gamma, beta)
}
