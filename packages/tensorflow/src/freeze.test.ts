import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, test } from 'vitest'
import { freeze, liveHandles, startTensorflow, Variable } from './index.ts'
import { readFields } from './proto.ts'

beforeAll(async () => {
  await startTensorflow({ device: 'cpu' })
})

/** Name and operation of each node of a GraphDef: node 1; name 1, op 2. */
function nodes(graph: Uint8Array): [string, string][] {
  const string = (value: number | Uint8Array | undefined): string => Buffer.from(value as Uint8Array).toString()
  return [...readFields(graph)]
    .filter(({ number }) => number === 1)
    .map(({ value }) => {
      const fields = new Map([...readFields(value as Uint8Array)].map(({ number, value }) => [number, value]))
      return [string(fields.get(1)), string(fields.get(2))]
    })
}

test('variables and tensors from outside are constants; input and output have their names', () => {
  const weight = new Variable('weight', { shape: [3, 2], dtype: 'float32', data: Float32Array.of(1, 2, 3, 4, 5, 60) })
  const bias = tf.tensor1d([7, 8])
  tf.square(bias).dispose()
  const before = liveHandles()
  const graph = freeze(
    (x) => tf.add(tf.matMul(x as tf.Tensor2D, weight.read() as tf.Tensor2D), bias),
    { name: 'pixels', shape: [1, 3] },
    'logits',
  )
  const found = nodes(graph)
  expect(found).toContainEqual(['pixels', 'Placeholder'])
  expect(found.at(-1)).toEqual(['logits', 'Identity'])
  expect(found.filter(([, operation]) => operation === 'Placeholder')).toHaveLength(1)
  expect(found.some(([, operation]) => operation === 'ReadVariableOp')).toBe(false)
  expect(found.filter(([, operation]) => operation === 'Const').length).toBeGreaterThanOrEqual(2)
  expect(Buffer.from(graph).includes(Buffer.from(Float32Array.of(5, 60).buffer))).toBe(true)
  expect(liveHandles()).toBe(before)
})

test('convolutions stay convolutions', () => {
  const filter = tf.ones<tf.Rank.R4>([2, 2, 3, 4])
  const graph = freeze(
    (x) => tf.conv2d(x as tf.Tensor4D, filter, 2, 'valid'),
    { name: 'pixels', shape: [1, 4, 4, 3] },
    'map',
  )
  expect(nodes(graph).filter(([, operation]) => operation === 'Conv2D' || operation === 'MatMul')).toHaveLength(1)
  expect(nodes(graph).some(([, operation]) => operation === 'Conv2D')).toBe(true)
})
