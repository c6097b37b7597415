import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Attribute } from './attribute.ts'
import type { DataTypeName } from './dtype.ts'
import { patchConvolution, patchFilterGradient, patchInputGradient, patchSide } from './patches.ts'
import { rawOp } from './raw-op.ts'
import { runtime } from './runtime.ts'

type Attributes = Readonly<Record<string, unknown>>

/** A kernel for some inputs; null leaves the others to tfjs-node's. */
type Replacement = (inputs: Readonly<Record<string, Tensor>>, attributes: Attributes) => Tensor | null

const typeOf = (name: string, tensor: Tensor): Attribute => ({
  name,
  type: 'type',
  value: tensor.dtype as DataTypeName,
})

/** tfjs-node's kernel reads the indices to check their range, which a trace cannot; on the CPU TensorFlow checks them itself. */
const gather: Replacement = ({ x, indices }, { axis, batchDims }) => {
  const attributes: Attribute[] = [
    { name: 'batch_dims', type: 'int', value: batchDims as number },
    typeOf('Tparams', x!),
    typeOf('Tindices', indices!),
    { name: 'Taxis', type: 'type', value: 'int32' },
  ]
  return rawOp('GatherV2', attributes, [x!, indices!, tf.scalar(axis as number, 'int32')], 1)[0]!
}

/** tfjs-node's kernel makes every product a batch of products, which TensorFlow does not fuse with a bias. */
const matrixProduct: Replacement = ({ a, b }, { transposeA, transposeB }) => {
  if (a!.rank !== 2 || b!.rank !== 2) return null
  const attributes: Attribute[] = [
    typeOf('T', a!),
    { name: 'transpose_a', type: 'bool', value: transposeA as boolean },
    { name: 'transpose_b', type: 'bool', value: transposeB as boolean },
  ]
  return rawOp('MatMul', attributes, [a!, b!], 1)[0]!
}

/** A frozen graph keeps its convolutions: the runtimes that it is made for are best at those. */
const freezing = (): boolean => runtime().binding.trace?.mode === 'freeze'

const convolution: Replacement = ({ x, filter }, attributes) => {
  const side = freezing() ? null : patchSide(x!.shape, filter!.shape, attributes)
  return side === null ? null : patchConvolution(x!, filter!, side)
}

const convolutionInputGradient: Replacement = ({ dy, filter }, attributes) => {
  const inputShape = attributes['inputShape'] as number[]
  const side = patchSide(inputShape, filter!.shape, attributes)
  return side === null ? null : patchInputGradient(dy!, filter!, inputShape, side)
}

const convolutionFilterGradient: Replacement = ({ x, dy }, attributes) => {
  const filterShape = attributes['filterShape'] as number[]
  const side = patchSide(x!.shape, filterShape, attributes)
  return side === null ? null : patchFilterGradient(x!, dy!, filterShape, side)
}

const replacements: Readonly<Record<string, Replacement>> = {
  GatherV2: gather,
  BatchMatMul: matrixProduct,
  Conv2D: convolution,
  Conv2DBackpropInput: convolutionInputGradient,
  Conv2DBackpropFilter: convolutionFilterGradient,
}

/** Puts our kernels before tfjs-node's. */
export function replaceKernels(): void {
  for (const [kernelName, replacement] of Object.entries(replacements)) {
    const original = tf.getKernel(kernelName, 'tensorflow').kernelFunc
    tf.unregisterKernel(kernelName, 'tensorflow')
    const kernelFunc: tf.KernelFunc = (call) =>
      // The original's arguments are typed as loosely as ours.
      tf.tidy(
        () =>
          replacement(call.inputs as Record<string, Tensor>, (call.attrs ?? {}) as Attributes) ??
          (original(call) as Tensor),
      )
    tf.registerKernel({ kernelName, backendName: 'tensorflow', kernelFunc })
  }
}
