import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { rawOp } from './raw-op.ts'

/**
 * Layer normalisation over the last axis (Ba et al. 2016, arXiv:1607.06450): `(x - mean) / sqrt(variance + eps) * gamma
 * + beta`, with the biased variance. The gradient is the closed form, so the backward pass is five reductions and a
 * handful of products instead of the tape of every small operation.
 *
 * @param x [..., C]
 * @param gamma [C]
 * @param beta [C]
 */
export function layerNorm(x: Tensor, gamma: Tensor, beta: Tensor, eps = 1e-6): Tensor {
  const channels = x.shape[x.rank - 1] as number
  if (x.rank === 2) return normalizeRows(eps)(x, gamma, beta)
  return tf.reshape(normalizeRows(eps)(tf.reshape(x, [-1, channels]), gamma, beta), x.shape)
}

type ThreeTensors = (x: Tensor, gamma: Tensor, beta: Tensor) => Tensor

function normalizeRows(eps: number): ThreeTensors {
  return tf.customGrad<Tensor>((...args) => {
    const [x, gamma, beta, save] = args as unknown as [Tensor, Tensor, Tensor, tf.GradSaveFunc]
    const centred = tf.sub(x, tf.mean(x, -1, true))
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), eps))
    const normal = tf.mul(centred, inverse)
    save([normal, inverse, gamma])
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const [normal, inverse, gamma] = saved as [Tensor, Tensor, Tensor]
      const scaled = tf.mul(dy, gamma)
      const mean = tf.mean(scaled, -1, true)
      const projection = tf.mean(tf.mul(scaled, normal), -1, true)
      const dx = tf.mul(tf.sub(tf.sub(scaled, mean), tf.mul(normal, projection)), inverse)
      return [dx, tf.sum(tf.mul(dy, normal), 0), tf.sum(dy, 0)]
    }
    return { value: tf.add(tf.mul(normal, gamma), beta), gradFunc }
  })
}

const inverseSqrt2Pi = 0.398_942_280_401_432_7

/**
 * Gaussian error linear unit, the exact form `x * Phi(x)` with the error function (Hendrycks & Gimpel 2016,
 * arXiv:1606.08415), any shape. Its gradient is `Phi(x) + x * phi(x)`.
 */
export const gelu: (x: Tensor) => Tensor = tf.customGrad<Tensor>((...args) => {
  const [x, save] = args as unknown as [Tensor, tf.GradSaveFunc]
  const cdf = tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5)
  save([x, cdf])
  const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor => {
    const [x, cdf] = saved as [Tensor, Tensor]
    const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), inverseSqrt2Pi)
    return tf.mul(dy, tf.add(cdf, tf.mul(x, density)))
  }
  return { value: tf.mul(x, cdf), gradFunc }
})

/** `min(max(x, 0), 6)`; its gradient is one operation instead of tfjs's four. */
export const relu6: (x: Tensor) => Tensor = tf.customGrad((...args) => {
  const [x, save] = args as unknown as [Tensor, tf.GradSaveFunc]
  const value = tf.relu6(x)
  save([value])
  const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor =>
    rawOp('Relu6Grad', [{ name: 'T', type: 'type', value: 'float32' }], [dy, saved[0] as Tensor], 1)[0] as Tensor
  return { value, gradFunc }
})
