import { createHash } from 'node:crypto'
import { Random } from '@flowers/shared/random'
import type { Initializer, Model, ParameterSpec } from './architecture.ts'

/**
 * Initial values of every parameter, in TensorFlow's layout. They depend on the seed, the parameter's name, its number
 * of values and its initializer, and on nothing else: not on the order or on which other parameters there are.
 */
export function initialize(model: Pick<Model, 'parameters'>, seed: number): Map<string, Float32Array> {
  return new Map(model.parameters.map((spec) => [spec.name, initialValues(spec, seed)]))
}

/** Zeros in the place of every parameter, where values do not matter. */
export function zeroValues(model: Pick<Model, 'parameters'>): Map<string, Float32Array> {
  return new Map(model.parameters.map(({ name, shape }) => [name, zerosOf(shape)]))
}

const zerosOf = (shape: readonly number[]): Float32Array =>
  new Float32Array(shape.reduce((product, size) => product * size, 1))

type Fill<K extends Initializer['kind']> = (
  values: Float32Array,
  initializer: Extract<Initializer, { kind: K }>,
  name: string,
  seed: number,
) => void

const fillers: { readonly [K in Initializer['kind']]: Fill<K> } = {
  zeros: () => {},
  ones: (values) => values.fill(1),
  constant: (values, { value }) => values.fill(value),
  truncatedNormal: (values, { std }, name, seed) => fillTruncatedNormal(values, std, parameterStream(name, seed)),
}

function initialValues({ name, shape, initializer }: ParameterSpec, seed: number): Float32Array {
  const values = zerosOf(shape)
  const fill = fillers[initializer.kind] as Fill<Initializer['kind']>
  fill(values, initializer, name, seed)
  return values
}

const bound = 2

/** Marsaglia's polar method, values beyond `bound` deviations drawn again. */
function fillTruncatedNormal(values: Float32Array, std: number, random: Random): void {
  let filled = 0
  while (filled < values.length) {
    const u = random.word() / 2 ** 31 - 1
    const v = random.word() / 2 ** 31 - 1
    const square = u * u + v * v
    if (square >= 1 || square === 0) continue
    const scale = Math.sqrt((-2 * Math.log(square)) / square)
    for (const normal of [u * scale, v * scale]) {
      if (Math.abs(normal) <= bound && filled < values.length) values[filled++] = normal * std
    }
  }
}

/** The stream of one parameter, told apart by 64 bits of a hash of its name. */
function parameterStream(name: string, seed: number): Random {
  const hash = createHash('sha256').update(name).digest()
  return new Random(seed, 'parameters', hash.readUInt32LE(0), hash.readUInt32LE(4))
}
