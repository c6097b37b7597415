import type { Tensor } from '@tensorflow/tfjs-core'
import * as tf from '@tensorflow/tfjs-core'
import { rawOp } from './raw-op.ts'

function draw(operation: string, shape: number[], seed: Tensor): Tensor {
  return tf.tidy(() => {
    const attributes = [
      { name: 'dtype', type: 'type', value: 'float32' },
      { name: 'T', type: 'type', value: 'int32' },
      { name: 'Tseed', type: 'type', value: 'int32' },
    ] as const
    return rawOp(operation, attributes, [tf.tensor1d(shape, 'int32'), seed], 1)[0] as Tensor
  })
}

/**
 * Random numbers that depend only on `seed` (int32 [2]) and the shape, by TensorFlow's counter-based generators; the
 * same inside a trace and outside. Two draws from one seed are equal: derive a seed for each.
 */
export const stateless = {
  /** Uniform in [0, 1). */
  uniform: (shape: number[], seed: Tensor): Tensor => draw('StatelessRandomUniform', shape, seed),
  /** Normal with mean 0 and deviation 1. */
  normal: (shape: number[], seed: Tensor): Tensor => draw('StatelessRandomNormal', shape, seed),
}
