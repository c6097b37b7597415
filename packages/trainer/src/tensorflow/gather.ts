import * as tf from '@tensorflow/tfjs-core'
import type { Attribute } from './attribute.ts'
import { rawOp } from './raw-op.ts'

/**
 * tfjs-node's kernel reads the indices to check their range, which a trace cannot; TensorFlow checks them itself on the
 * CPU, so the kernel is replaced by one that does not.
 */
export function replaceGatherKernel(): void {
  tf.unregisterKernel('GatherV2', 'tensorflow')
  tf.registerKernel({
    kernelName: 'GatherV2',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs }) => {
      const { x, indices } = inputs as { x: tf.Tensor; indices: tf.Tensor }
      const { axis, batchDims } = attrs as unknown as { axis: number; batchDims: number }
      const attributes: Attribute[] = [
        { name: 'batch_dims', type: 'int', value: batchDims },
        { name: 'Tparams', type: 'type', value: x.dtype as 'float32' },
        { name: 'Tindices', type: 'type', value: indices.dtype as 'int32' },
        { name: 'Taxis', type: 'type', value: 'int32' },
      ]
      return tf.tidy(() => rawOp('GatherV2', attributes, [x, indices, tf.scalar(axis, 'int32')], 1)[0] as tf.Tensor)
    },
  })
}
