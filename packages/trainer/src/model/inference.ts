import type { Tensor } from '@tensorflow/tfjs-core'
import type { ForwardContext } from './architecture.ts'

/** A forward pass without dropout and stochastic depth over given parameters. */
export function inference(parameter: (name: string) => Tensor): ForwardContext {
  const uniform = (): Tensor => {
    throw new RangeError('inference draws no random numbers')
  }
  return { parameter, training: false, uniform }
}
