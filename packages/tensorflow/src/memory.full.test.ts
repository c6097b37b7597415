import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { compile, startTensorflow } from './index.ts'

// TensorFlow waits ten seconds for memory to become free before it gives up.
test('more memory than there is gets a code of its own, and the next run works', async () => {
  await startTensorflow({ device: 'cpu' })
  const outer = compile((column: tf.Tensor, row: tf.Tensor) => ({ sum: tf.sum(tf.mul(column, row)) }))
  const side = 2 ** 23
  await expect(outer.run(tf.ones([side, 1]), tf.ones([1, side]))).rejects.toMatchObject({
    code: 'TENSORFLOW_OUT_OF_MEMORY',
  })
  expect((await outer.run(tf.ones([3, 1]), tf.ones([1, 2]))).sum.dataSync()[0]).toBe(6)
})
