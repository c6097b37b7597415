import type { Tensor } from '@tensorflow/tfjs-core'
import { encodeAttribute, type Attribute } from './attribute.ts'
import { callSite } from './caller.ts'
import { runtime } from './runtime.ts'
import { TensorflowError } from './errors.ts'

/**
 * Any TensorFlow operation by name, run at once or added to the trace. List arguments are given flat, in order; where
 * an operation has several, their attributes (`N`, `T`) are needed too.
 *
 * @param shapes what the shapes of the outputs are, where TensorFlow cannot tell while tracing.
 * @throws TENSORFLOW_OP_REFUSED with TensorFlow's message, TENSORFLOW_UNKNOWN_SHAPE while tracing.
 */
export function rawOp(
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly Tensor[],
  outputs: number,
  shapes?: readonly (readonly number[] | undefined)[],
): Tensor[] {
  const { backend, binding, core } = runtime()
  const known = core.definition(name).attributes
  const unknown = attributes.find((attribute) => !known.has(attribute.name))
  if (unknown !== undefined) {
    throw new TensorflowError(
      'TENSORFLOW_OP_REFUSED',
      `${name}: no attribute ${unknown.name}, only ${[...known].join(', ')} (called at ${callSite()})`,
    )
  }
  const ids = backend.getInputTensorIds(inputs)
  return binding
    .execute(name, attributes.map(encodeAttribute), ids, outputs, shapes)
    .map((made) => backend.createOutputTensor(made))
}
