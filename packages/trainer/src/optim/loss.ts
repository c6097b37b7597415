import * as tf from '@tensorflow/tfjs-core'

/**
 * One-hot targets smoothed as in Szegedy et al. 2016 (arXiv 1512.00567): `1 - s + s/K` for the class, `s/K` for the others.
 * @param labels int32 [N]
 * @param smoothing s, a number or a scalar tensor, in [0, 1]
 * @returns [N, K], rows sum to 1
 */
export function smoothedTargets(labels: tf.Tensor1D, classes: number, smoothing: number | tf.Tensor): tf.Tensor2D {
  const hard = tf.oneHot(labels, classes, 1, 0, 'float32')
  return tf.add(tf.mul(hard, tf.sub(1, smoothing)), tf.div(smoothing, classes))
}

/**
 * Loss of knowledge distillation (Hinton, Vinyals, Dean 2015, arXiv:1503.02531): mean over the batch of the cross-entropy
 * between the targets of a teacher and the softmax of the logits, both softened by the temperature T, times T squared, so
 * that its gradient keeps its size whatever T. Scalar, in nats.
 * @param targets [N, K], the teacher's softened probabilities; rows sum to 1
 */
export function distillationLoss(logits: tf.Tensor2D, targets: tf.Tensor2D, temperature: number): tf.Scalar {
  const terms = tf.mul(targets, tf.logSoftmax(tf.div(logits, temperature)))
  return tf.mul(tf.neg(tf.mean(tf.sum(terms, -1))), temperature ** 2)
}

/** The least 1 - p that is used: with a gamma below 1 the slope of its power is unbounded at 0. */
const leastDoubt = 1e-7

export interface LossOptions {
  /** One weight a class [K], mean 1; null: all equal. */
  readonly classWeights: readonly number[] | null
  /** Gamma of the focal loss (Lin et al. 2017, arXiv 1708.02002); 0: off. */
  readonly focalGamma: number
}

/**
 * Mean over the batch of `-sum_k w_k t_k (1 - p_k)^gamma log p_k` between targets t and softmax p of the logits, both [N, K]:
 * cross-entropy with optional class weights and focal modulation. p is the plain softmax: a weight never enters
 * the modulation. Scalar, in nats.
 */
export function classificationLoss(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  { classWeights, focalGamma }: LossOptions,
): tf.Scalar {
  const logProbabilities = tf.logSoftmax(logits)
  const terms = tf.mul(targets, logProbabilities)
  const doubt = tf.maximum(tf.sub(1, tf.exp(logProbabilities)), leastDoubt)
  const focused = focalGamma === 0 ? terms : tf.mul(terms, tf.pow(doubt, focalGamma))
  const weighted = classWeights === null ? focused : tf.mul(focused, tf.tensor1d([...classWeights]))
  return tf.neg(tf.mean(tf.sum(weighted, -1)))
}
