import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Model } from '../model/architecture.ts'
import { inference } from '../model/inference.ts'
import { freeze } from '@flowers/tensorflow'

/** Names of the frozen graph's input [1, size, size, 3] and output [1, classes]. */
export const frozenNames = { input: 'pixel_values', output: 'logits' } as const

/**
 * The forward pass of one normalised image [1, size, size, 3] to logits as a serialised GraphDef, weights as constants,
 * with everything merged that is constant after training.
 */
export function freezeModel(model: Model, values: ReadonlyMap<string, Float32Array>, size: number): Uint8Array {
  const folded = model.fold(values)
  const shapes = new Map(folded.model.parameters.map(({ name, shape }) => [name, shape]))
  const context = inference((name) => tf.tensor(folded.values.get(name) as Float32Array, [...(shapes.get(name) ?? [])]))
  const forward = (images: Tensor): Tensor => folded.model.classify(folded.model.featureMap(images, context), context)
  return freeze(forward, { name: frozenNames.input, shape: [1, size, size, 3] }, frozenNames.output)
}
