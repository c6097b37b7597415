import { expect, it } from 'vitest'
import type { Initializer, ParameterSpec } from './architecture.ts'
import { initialize } from './init.ts'

const spec = (name: string, shape: number[], initializer: Initializer): ParameterSpec => ({
  name,
  shape,
  kind: 'linear',
  initializer,
  group: 'backbone',
  decay: true,
  trainable: true,
})
const normal = (name: string, rows = 3): ParameterSpec =>
  spec(name, [rows, 500], { kind: 'truncatedNormal', std: 0.02 })

it('draws from a normal that is cut at two deviations', () => {
  const values = initialize({ parameters: [normal('a', 200)] }, 3).get('a') ?? new Float32Array()
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
  expect(values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)).toBeLessThanOrEqual(
    Math.fround(0.04),
  )
  expect(Math.abs(mean)).toBeLessThan(3e-4)
  // Standard deviation of a normal cut at +-2: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)) = 0.8796.
  expect(deviation / 0.02).toBeCloseTo(0.8796, 2)
})

it('depends on seed and name alone, not on order or company', () => {
  const [first, second] = [normal('a'), normal('b')]
  const both = initialize({ parameters: [first, second] }, 3)
  const swapped = initialize({ parameters: [second, first] }, 3)
  expect(swapped.get('a')).toEqual(both.get('a'))
  expect(initialize({ parameters: [first] }, 3).get('a')).toEqual(both.get('a'))
  expect(both.get('b')).not.toEqual(both.get('a'))
  expect(initialize({ parameters: [first] }, 4).get('a')).not.toEqual(both.get('a'))
})

it('draws the same numbers on every machine', () => {
  const values = initialize({ parameters: [spec('stem.0.weight', [4], { kind: 'truncatedNormal', std: 1 })] }, 42)
  expect(Array.from(values.get('stem.0.weight') ?? [])).toMatchInlineSnapshot(`
    [
      -1.2027336359024048,
      0.9049508571624756,
      -0.23841585218906403,
      0.4031974971294403,
    ]
  `)
})

it('fills with constants', () => {
  const initializers = [{ kind: 'zeros' }, { kind: 'ones' }, { kind: 'constant', value: 0.5 }] as const
  const values = initialize(
    { parameters: initializers.map((initializer) => spec(initializer.kind, [2], initializer)) },
    0,
  )
  expect(Object.fromEntries(values)).toEqual({
    zeros: new Float32Array([0, 0]),
    ones: new Float32Array([1, 1]),
    constant: new Float32Array([0.5, 0.5]),
  })
})
