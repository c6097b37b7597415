import type { Initializer, ParameterKind, ParameterSpec } from './architecture.ts'

type Group = ParameterSpec['group']

/** Initial weights of every ConvNeXt layer, as in facebookresearch/ConvNeXt. */
const weightInitializer: Initializer = { kind: 'truncatedNormal', std: 0.02 }

function parameter(
  name: string,
  shape: readonly number[],
  kind: ParameterKind,
  initializer: Initializer,
  group: Group,
): ParameterSpec {
  return { name, shape, kind, initializer, group, decay: kind !== 'vector', trainable: true }
}

/** `name`.weight in the given layout and `name`.bias, one value an output. */
export function weightAndBias(
  name: string,
  shape: readonly number[],
  kind: Exclude<ParameterKind, 'vector'>,
  group: Group,
): ParameterSpec[] {
  const outputs = (kind === 'depthwise' ? shape.at(-2) : shape.at(-1)) ?? 0
  return [
    parameter(`${name}.weight`, shape, kind, weightInitializer, group),
    parameter(`${name}.bias`, [outputs], 'vector', { kind: 'zeros' }, group),
  ]
}

/** `name`.weight of a convolution without bias: deviation sqrt(2 / fan-out), as in EfficientNet. */
export function filter(
  name: string,
  shape: readonly number[],
  kind: 'convolution' | 'depthwise',
  group: Group,
): ParameterSpec {
  const fanOut = (shape[0] ?? 1) * (shape[1] ?? 1) * (shape[3] ?? 1)
  return parameter(`${name}.weight`, shape, kind, { kind: 'truncatedNormal', std: Math.sqrt(2 / fanOut) }, group)
}

/** Scale, shift and moving averages of a batch normalisation over `channels`: the identity at first. */
export function batchNormalization(name: string, channels: number, group: Group): ParameterSpec[] {
  const average = (suffix: string, initializer: Initializer): ParameterSpec => ({
    ...parameter(`${name}.${suffix}`, [channels], 'vector', initializer, group),
    trainable: false,
  })
  return [
    ...normalization(name, channels, group),
    average('running_mean', { kind: 'zeros' }),
    average('running_var', { kind: 'ones' }),
  ]
}

/** Scale and shift of a normalisation over `channels`: the identity at first. */
export function normalization(name: string, channels: number, group: Group): ParameterSpec[] {
  return [
    parameter(`${name}.weight`, [channels], 'vector', { kind: 'ones' }, group),
    parameter(`${name}.bias`, [channels], 'vector', { kind: 'zeros' }, group),
  ]
}

/** A vector that starts at one value, such as LayerScale. */
export function constantVector(name: string, length: number, value: number, group: Group): ParameterSpec {
  return parameter(name, [length], 'vector', { kind: 'constant', value }, group)
}
