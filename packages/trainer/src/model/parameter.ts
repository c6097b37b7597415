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
