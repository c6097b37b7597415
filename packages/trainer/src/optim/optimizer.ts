import * as tf from '@tensorflow/tfjs-core'
import { rawOp, type Variable } from '@flowers/tensorflow'

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
  /** Multiplied by the learning rate, the share a weight loses in a step; 0 for biases and normalisation. */
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

/** Euclidean norm over all values of all tensors, the one that `torch.nn.utils.clip_grad_norm_` clips by. Scalar. */
export function globalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  const halfSquares = tensors.map(
    (tensor) => rawOp('L2Loss', [{ name: 'T', type: 'type', value: 'float32' }], [tensor], 1)[0]!,
  )
  // addN adds in an order that varies: two runs of EfficientNet-Lite2 differed after their first steps.
  return tf.sqrt<tf.Scalar>(tf.mul(2, tf.sum(tf.stack(halfSquares))))
}

/** Optimizer updates of an epoch of micro-steps; the last one may accumulate fewer than the others. */
export const updatesPerEpoch = (microSteps: number, accumulate: number): number => Math.ceil(microSteps / accumulate)

/**
 * How many micro-steps the update of a micro-step (from 0, of an epoch) accumulates, and whether the update follows it. The
 * micro-steps left over at the end of an epoch make an update of their own, so no epoch ends with gradients pending.
 */
export function accumulation(
  microStep: number,
  microSteps: number,
  accumulate: number,
): { readonly of: number; readonly complete: boolean } {
  const first = microStep - (microStep % accumulate)
  const of = Math.min(accumulate, microSteps - first)
  return { of, complete: microStep === first + of - 1 }
}

/**
 * Decay of the moving average at an optimizer step counted from 1: `min(decay, 1 - step^-power)`, the warm-up of timm's
 * ModelEmaV3 with gamma 1. The first step has decay 0 and takes the weights as they are; without the warm-up an average
 * with decay 0.99995 never forgets its start.
 */
export function emaDecay(options: { readonly decay: number; readonly power: number }, step: number): number {
  return Math.min(options.decay, 1 - step ** -options.power)
}

/** The factor of the loss that keeps small gradients alive in float16, and how many updates in a row were finite. */
export interface LossScale {
  readonly value: number
  readonly good: number
}

/** The rule of PyTorch's GradScaler with the floor of Keras' LossScaleOptimizer: a scale of 1 changes nothing. */
const rule = { growth: 2, backoff: 0.5, interval: 2000, floor: 1 } as const

export const initialLossScale: LossScale = { value: 65_536, good: 0 }

/**
 * The scale after an optimizer update was due: it doubles after 2,000 finite ones in a row and halves when the gradient
 * overflowed (Micikevicius et al. 2018, arXiv 1710.03740). Null when the gradient overflowed at a scale of 1.
 */
export function nextLossScale({ value, good }: LossScale, finite: boolean): LossScale | null {
  if (!finite) return value > rule.floor ? { value: Math.max(rule.floor, value * rule.backoff), good: 0 } : null
  return good + 1 === rule.interval ? { value: value * rule.growth, good: 0 } : { value, good: good + 1 }
}
