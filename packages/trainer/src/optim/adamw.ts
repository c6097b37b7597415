import * as tf from '@tensorflow/tfjs-core'
import { rawOp } from '@flowers/tensorflow'
import type { Variable } from '@flowers/tensorflow'

export const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const

/** A trained array with the running means of its gradient and squared gradient. */
export interface Trained {
  readonly weight: Variable
  readonly m: Variable
  readonly v: Variable
}

export interface AdamWUpdate {
  readonly gradient: tf.Tensor
  readonly learningRate: tf.Scalar
  /** Times the learning rate is what a weight loses a step; 0 for biases and normalisation. */
  readonly weightDecay: number
  /** `beta^t` at step t, counted from 1. */
  readonly beta1Power: tf.Scalar
  readonly beta2Power: tf.Scalar
}

/**
 * One AdamW update in place (Loshchilov and Hutter, arXiv 1711.05101), with PyTorch's form of epsilon:
 * `w -= lr wd w`, then `w -= lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)`. TensorFlow's fused kernel adds epsilon
 * before the correction of v, so it is handed `eps sqrt(1 - b2^t)`.
 */
export function applyAdamW({ weight, m, v }: Trained, update: AdamWUpdate): void {
  const { gradient, learningRate, weightDecay, beta1Power, beta2Power } = update
  const { beta1, beta2, epsilon } = adamDefaults
  if (weightDecay > 0) weight.assignSub(tf.mul(weight.read(), tf.mul(learningRate, weightDecay)))
  rawOp(
    'ResourceApplyAdam',
    [{ name: 'T', type: 'type', value: 'float32' }],
    [
      weight.handle(),
      m.handle(),
      v.handle(),
      beta1Power,
      beta2Power,
      learningRate,
      tf.scalar(beta1),
      tf.scalar(beta2),
      tf.mul(epsilon, tf.sqrt(tf.sub(1, beta2Power))),
      gradient,
    ],
    0,
  )
}

/** Euclidean norm over all values of all tensors, as `torch.nn.utils.clip_grad_norm_` has it. Scalar. */
export function globalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  const halfSquares = tensors.map(
    (tensor) => rawOp('L2Loss', [{ name: 'T', type: 'type', value: 'float32' }], [tensor], 1)[0]!,
  )
  // With addN two runs of EfficientNet-Lite2 parted at the first steps: the order in which it adds is not the same every time.
  return tf.sqrt<tf.Scalar>(tf.mul(2, tf.sum(tf.stack(halfSquares))))
}
