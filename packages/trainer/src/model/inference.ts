import type { Tensor } from '@tensorflow/tfjs-core'
import { Variable } from '../tensorflow/index.ts'
import type { ForwardContext, Model } from './architecture.ts'

/** A forward pass without dropout and stochastic depth over given parameters. */
export function inference(parameter: (name: string) => Tensor): ForwardContext {
  const uniform = (): Tensor => {
    throw new RangeError('inference draws no random numbers')
  }
  return { parameter, training: false, uniform }
}

/** The values of a model as variables by name, for a network that is not trained. `dispose` frees them. */
export function constantVariables(model: Pick<Model, 'parameters'>, values: ReadonlyMap<string, Float32Array>) {
  const variables = new Map(
    model.parameters.map(({ name, shape }) => [
      name,
      new Variable(name, { shape: [...shape], dtype: 'float32', data: values.get(name)! }),
    ]),
  )
  const dispose = (): void => {
    for (const variable of variables.values()) variable.dispose()
  }
  return { variable: (name: string): Variable => variables.get(name)!, dispose }
}
