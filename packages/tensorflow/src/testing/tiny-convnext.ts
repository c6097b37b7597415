import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core'
import { depthwiseConv2d } from '../depthwise.ts'
import { castToFloat, rawOp, stateless, Variable } from '../index.ts'
import { gelu, layerNorm } from '../ops.ts'

/** A ConvNeXt of one block at 16 x 16 pixels: patch stem, depthwise, LayerNorm, GELU MLP with LayerScale, head. */
const width = 8
const classes = 5
export const batch = 4
export const side = 16

const parameters: Readonly<Record<string, { shape: number[]; centre: number; spread: number }>> = {
  stem: { shape: [4, 4, 3, width], centre: 0, spread: 0.2 },
  stemBias: { shape: [width], centre: 0, spread: 0.1 },
  depthwise: { shape: [7, 7, width, 1], centre: 0, spread: 0.2 },
  depthwiseBias: { shape: [width], centre: 0, spread: 0.1 },
  gamma: { shape: [width], centre: 1, spread: 0.2 },
  beta: { shape: [width], centre: 0, spread: 0.1 },
  expand: { shape: [width, 4 * width], centre: 0, spread: 0.3 },
  expandBias: { shape: [4 * width], centre: 0, spread: 0.1 },
  project: { shape: [4 * width, width], centre: 0, spread: 0.3 },
  projectBias: { shape: [width], centre: 0, spread: 0.1 },
  layerScale: { shape: [width], centre: 0.5, spread: 0.2 },
  headGamma: { shape: [width], centre: 1, spread: 0.2 },
  headBeta: { shape: [width], centre: 0, spread: 0.1 },
  head: { shape: [width, classes], centre: 0, spread: 0.3 },
  headBias: { shape: [classes], centre: 0, spread: 0.1 },
}

export const parameterNames = Object.keys(parameters)

type Values = Readonly<Record<string, Tensor>>

function forward(images: Tensor, p: Values): Tensor2D {
  const get = (name: string): Tensor => p[name] as Tensor
  let x: Tensor = tf.add(tf.conv2d(images as Tensor4D, get('stem') as Tensor4D, 4, 'valid'), get('stemBias'))
  let y = tf.add(depthwiseConv2d(x, get('depthwise')), get('depthwiseBias'))
  y = tf.reshape(layerNorm(y, get('gamma'), get('beta')), [-1, width])
  y = gelu(tf.add(tf.matMul(y as Tensor2D, get('expand') as Tensor2D), get('expandBias')))
  y = tf.mul(tf.add(tf.matMul(y as Tensor2D, get('project') as Tensor2D), get('projectBias')), get('layerScale'))
  x = tf.add(x, tf.reshape(y, x.shape))
  const pooled = layerNorm(tf.mean(x, [1, 2]), get('headGamma'), get('headBeta'))
  return tf.add(tf.matMul(pooled as Tensor2D, get('head') as Tensor2D), get('headBias'))
}

interface State {
  readonly weight: Variable
  readonly first: Variable
  readonly second: Variable
}

/** The net's variables with AdamW's means; initial values from TensorFlow's counter-based generator. */
export async function createState(): Promise<Record<string, State>> {
  const state: Record<string, State> = {}
  for (const [index, name] of parameterNames.entries()) {
    const { shape, centre, spread } = parameters[name] as (typeof parameters)[string]
    const values = tf.tidy(() =>
      tf.add(tf.mul(stateless.normal(shape, tf.tensor1d([7, index], 'int32')), spread), centre),
    )
    const zeros = { shape, dtype: 'float32' } as const
    state[name] = {
      weight: new Variable(name, { ...zeros, data: (await values.data()) as Float32Array }),
      first: new Variable(`${name}/first`, zeros),
      second: new Variable(`${name}/second`, zeros),
    }
    values.dispose()
  }
  return state
}

export function disposeState(state: Record<string, State>): void {
  for (const { weight, first, second } of Object.values(state))
    for (const variable of [weight, first, second]) variable.dispose()
}

/** One AdamW step in place. `scalars`: learning rate, `beta1^t`, `beta2^t`. Returns loss, logits and every gradient. */
export function trainStep(
  state: Record<string, State>,
  photos: Tensor,
  labels: Tensor,
  scalars: Tensor,
  seed: Tensor,
): Record<string, Tensor> {
  const noise = stateless.normal([batch, side, side, 3], seed)
  const images = tf.add(tf.div(tf.sub(castToFloat(photos), 128), 64), tf.mul(noise, 0.1))
  const targets = tf.oneHot(labels, classes)
  const weights = parameterNames.map((name) => (state[name] as State).weight)
  const { value: loss, grads } = tf.valueAndGrads((...arrays) => {
    const logits = forward(
      images,
      Object.fromEntries(parameterNames.map((name, index) => [name, arrays[index] as Tensor])),
    )
    return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), targets), -1)))
  })(weights.map((weight) => weight.read()))
  const before = Object.fromEntries(parameterNames.map((name, index) => [name, (weights[index] as Variable).read()]))
  const logits = forward(images, before)
  const [rate, beta1Power, beta2Power] = tf.unstack(scalars) as [Tensor, Tensor, Tensor]
  parameterNames.forEach((name, index) => {
    const { weight, first, second } = state[name] as State
    weight.assignSub(tf.mul(weight.read(), tf.mul(rate, 0.05)))
    const handles = [weight.handle(), first.handle(), second.handle()]
    const constants = [tf.scalar(0.9), tf.scalar(0.999), tf.scalar(1e-8), grads[index] as Tensor]
    rawOp(
      'ResourceApplyAdam',
      [{ name: 'T', type: 'type', value: 'float32' }],
      [...handles, beta1Power, beta2Power, rate, ...constants],
      0,
    )
  })
  return {
    loss,
    logits,
    ...Object.fromEntries(parameterNames.map((name, index) => [`gradient/${name}`, grads[index] as Tensor])),
  }
}

/** The inputs of step `index`, the same every time. */
export function stepInputs(index: number): {
  pixels: Uint8Array
  labels: Int32Array
  scalars: Float32Array
  seed: Int32Array
} {
  return {
    pixels: Uint8Array.from({ length: batch * side * side * 3 }, (_, value) => (value * 7919 + index * 104729) % 251),
    labels: Int32Array.from({ length: batch }, (_, value) => (value + index) % classes),
    scalars: Float32Array.of(0.01, 0.9 ** (index + 1), 0.999 ** (index + 1)),
    seed: Int32Array.of(3, index),
  }
}
