import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { dataTypes } from './dtype.ts'
import { runtime } from './runtime.ts'

/** A tensor that is uint8 in TensorFlow, one byte a value; tfjs takes it for int32. Only `castToFloat` computes with it. */
export function bytes(data: Uint8Array, shape: number[]): Tensor {
  const { backend, binding } = runtime()
  return backend.createOutputTensor({
    id: binding.createTensor(shape, dataTypes.uint8, data),
    shape,
    dtype: dataTypes.uint8,
  })
}

/** float32 of the same values, from any type; bytes are 0 to 255. */
export function castToFloat(tensor: Tensor): Tensor {
  return tf.cast(tensor, 'float32')
}
