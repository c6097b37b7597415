import * as tf from '@tensorflow/tfjs-core'
import type { Attribute } from './attribute.ts'
import type { DataTypeName } from './dtype.ts'
import { rawOp } from './raw-op.ts'

type KernelFunction = (inputs: Record<string, tf.Tensor>, attributes: Record<string, unknown>) => tf.Tensor

const typeOf = (name: string, tensor: tf.Tensor): Attribute => ({ name, type: 'type', value: tensor.dtype as DataTypeName })

/** tfjs-node's kernel reads the indices to check their range, which a trace cannot; on the CPU TensorFlow checks them itself. */
function gather({ x, indices }: Record<string, tf.Tensor>, { axis, batchDims }: Record<string, unknown>): tf.Tensor {
  const attributes: Attribute[] = [
    { name: 'batch_dims', type: 'int', value: batchDims as number },
    typeOf('Tparams', x as tf.Tensor),
    typeOf('Tindices', indices as tf.Tensor),
    { name: 'Taxis', type: 'type', value: 'int32' },
  ]
  return rawOp('GatherV2', attributes, [x as tf.Tensor, indices as tf.Tensor, tf.scalar(axis as number, 'int32')], 1)[0] as tf.Tensor
}

/** tfjs-node's kernel makes every product a batch of products, which TensorFlow does not fuse with a bias. */
function matrixProduct({ a, b }: Record<string, tf.Tensor>, { transposeA, transposeB }: Record<string, unknown>): tf.Tensor {
  const inputs = [a as tf.Tensor, b as tf.Tensor]
  const plain = inputs.every(({ shape }) => shape.length === 2)
  const attributes: Attribute[] = [
    typeOf('T', a as tf.Tensor),
    { name: plain ? 'transpose_a' : 'adj_x', type: 'bool', value: transposeA as boolean },
    { name: plain ? 'transpose_b' : 'adj_y', type: 'bool', value: transposeB as boolean },
  ]
  return rawOp(plain ? 'MatMul' : 'BatchMatMulV2', attributes, inputs, 1)[0] as tf.Tensor
}

const replacements: Readonly<Record<string, KernelFunction>> = { GatherV2: gather, BatchMatMul: matrixProduct }

/** Puts our kernels in the place of tfjs-node's. */
export function replaceKernels(): void {
  for (const [kernelName, run] of Object.entries(replacements)) {
    tf.unregisterKernel(kernelName, 'tensorflow')
    const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) =>
      tf.tidy(() => run(inputs as Record<string, tf.Tensor>, (attrs ?? {}) as Record<string, unknown>))
    tf.registerKernel({ kernelName, backendName: 'tensorflow', kernelFunc })
  }
}
