import * as tf from '@tensorflow/tfjs-core'

/**
 * One-hot targets smoothed as in Szegedy et al. 2016 (arXiv 1512.00567): `1 - s + s/K` for the class, `s/K` for the others.
 * @param labels int32 [N]
 * @returns [N, K], rows sum to 1
 */
export function smoothedTargets(labels: tf.Tensor1D, classes: number, smoothing: number): tf.Tensor2D {
  return tf.oneHot(labels, classes, 1 - smoothing + smoothing / classes, smoothing / classes, 'float32') as tf.Tensor2D
}

/** Mean over the batch of the cross-entropy between targets and softmax of the logits, both [N, K]. Scalar, in nats. */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  return tf.neg(tf.mean(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), -1)))
}
