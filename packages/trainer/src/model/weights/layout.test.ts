import { expect, it } from 'vitest'
import type { ParameterKind } from '../architecture.ts'
import { toPytorchLayout, toTensorflowLayout } from './layout.ts'

const range = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i)
const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
const offset = (shape: readonly number[], index: readonly number[]): number =>
  shape.reduce((sum, size, axis) => sum * size + (index[axis] ?? 0), 0)

// For an index in TensorFlow's array, the index of the same value in PyTorch's.
it.each<[ParameterKind, number[], number[], (i: number[]) => number[]]>([
  ['convolution', [2, 3, 4, 5], [5, 4, 2, 3], ([h = 0, w = 0, i = 0, o = 0]) => [o, i, h, w]],
  ['depthwise', [2, 3, 4, 1], [4, 1, 2, 3], ([h = 0, w = 0, c = 0]) => [c, 0, h, w]],
  ['linear', [4, 5], [5, 4], ([i = 0, o = 0]) => [o, i]],
  ['pointwise', [4, 5], [5, 4, 1, 1], ([i = 0, o = 0]) => [o, i, 0, 0]],
  ['vector', [6], [6], (i) => i],
])('moves each value of a %s parameter to its place', (kind, shape, expectedShape, move) => {
  const values = range(product(shape))
  const pytorch = toPytorchLayout({ kind, shape }, values)
  expect(pytorch.shape).toEqual(expectedShape)
  for (let flat = 0; flat < values.length; flat++) {
    let rest = flat
    const index = shape.toReversed().map((size) => {
      const position = rest % size
      rest = Math.floor(rest / size)
      return position
    })
    expect(pytorch.data[offset(expectedShape, move(index.toReversed()))]).toBe(flat)
  }
  expect(toTensorflowLayout({ kind, shape }, pytorch.data)).toEqual(values)
})
