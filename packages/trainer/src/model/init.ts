import { createHash } from 'node:crypto'
import type { Initializer, Model, ParameterSpec } from './architecture.ts'

/**
 * Initial values of every parameter, in TensorFlow's layout. They depend on the seed, the parameter's name, its number
 * of values and its initializer, and on nothing else: not on the order or on which other parameters there are.
 */
export function initialize(model: Pick<Model, 'parameters'>, seed: number): Map<string, Float32Array> {
  return new Map(model.parameters.map((spec) => [spec.name, initialValues(spec, seed)]))
}

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
  truncatedNormal: (values, { std }, name, seed) => fillTruncatedNormal(values, std, randomStream(`${seed}:${name}`)),
}

function initialValues({ name, shape, initializer }: ParameterSpec, seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
  const fill = fillers[initializer.kind] as Fill<Initializer['kind']>
  fill(values, initializer, name, seed)
  return values
}

const bound = 2

/** Marsaglia's polar method, values beyond `bound` deviations drawn again. */
function fillTruncatedNormal(values: Float32Array, std: number, random: () => number): void {
  let filled = 0
  while (filled < values.length) {
    const u = 2 * random() - 1
    const v = 2 * random() - 1
    const square = u * u + v * v
    if (square >= 1 || square === 0) continue
    const scale = Math.sqrt((-2 * Math.log(square)) / square)
    for (const normal of [u * scale, v * scale]) {
      if (Math.abs(normal) <= bound && filled < values.length) values[filled++] = normal * std
    }
  }
}

/** Uniform numbers in [0, 1) of 32 bits: xoshiro128++ (Blackman & Vigna 2019, arXiv:1805.01407), seeded by a hash of `key`. */
function randomStream(key: string): () => number {
  const hash = createHash('sha256').update(key).digest()
  let [a, b, c, d] = [0, 4, 8, 12].map((offset) => hash.readUInt32LE(offset)) as [number, number, number, number]
  const rotate = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits))
  return () => {
    const result = (rotate((a + d) | 0, 7) + a) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result / 2 ** 32
  }
}
