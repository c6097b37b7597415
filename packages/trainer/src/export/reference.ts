import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core'
import type { Model } from '../model/architecture.ts'
import { compile, Variable } from '../tensorflow/index.ts'
import { inference } from '../model/inference.ts'

/** The trainer's own forward pass, in float32: what an exported file is held against. */
export interface Reference {
  /** `images` [1, 3, size, size], normalised, to logits. */
  logits(images: Float32Array): Promise<Float32Array>
  dispose(): void
}

export function openReference(model: Model, values: ReadonlyMap<string, Float32Array>, size: number): Reference {
  const variables = new Map(
    model.parameters.map(({ name, shape }) => [
      name,
      new Variable(name, { shape: [...shape], dtype: 'float32', data: values.get(name) as Float32Array }),
    ]),
  )
  const forward = compile(
    (images: Tensor) => {
      const read = new Map([...variables].map(([name, variable]) => [name, variable.read()]))
      const context = inference((name) => read.get(name) as Tensor)
      const channelsLast = tf.transpose(images as Tensor4D, [0, 2, 3, 1])
      return { logits: model.classify(model.featureMap(channelsLast, context), context) }
    },
    { name: 'reference' },
  )
  return {
    logits: async (images) => {
      const input = tf.tensor(images, [1, 3, size, size])
      const { logits } = await forward.run(input)
      const values = (await logits.data()) as Float32Array
      tf.dispose([input, logits])
      return values
    },
    dispose: () => {
      forward.dispose()
      for (const variable of variables.values()) variable.dispose()
    },
  }
}
