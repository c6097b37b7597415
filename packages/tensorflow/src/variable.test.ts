import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, test } from 'vitest'
import { compile, liveHandles, rawOp, startTensorflow, Variable } from './index.ts'

beforeAll(async () => {
  await startTensorflow({ device: 'cpu' })
})

const vector = (name: string, ...data: number[]) =>
  new Variable(name, { shape: [data.length], dtype: 'float32', data: Float32Array.from(data) })

test('reads and writes keep the order of the program inside a trace, as they do outside', async () => {
  const program = (v: Variable) => (x: tf.Tensor) => {
    const first = v.read()
    v.assignAdd(x)
    const second = v.read()
    v.assign(tf.mul(second, 10))
    v.assignSub(x)
    const third = v.read()
    v.assign(tf.add(tf.addN([first, second, third]), 1000))
    return { first, second, third }
  }
  const [eager, traced] = [vector('a', 1, 2), vector('a', 1, 2)]
  const x = tf.tensor1d([3, 4])
  const step = compile(program(traced))
  for (let run = 0; run < 3; run++) {
    const expected = program(eager)(x)
    const outputs = await step.run(x)
    for (const name of ['first', 'second', 'third'] as const)
      expect(outputs[name].dataSync()).toEqual(expected[name].dataSync())
    expect(await traced.data()).toEqual(await eager.data())
  }
})

test('a write that no output depends on happens', async () => {
  const v = vector('v', 1)
  await compile((x: tf.Tensor) => {
    v.assign(x)
    return { nothing: tf.scalar(0) }
  }).run(tf.tensor1d([5]))
  expect(Array.from(await v.data())).toEqual([5])
})

test('a value read before a write in place stays as it was', async () => {
  const v = new Variable('large', { shape: [100_000], dtype: 'float32' })
  const { sum } = await compile(() => {
    const before = v.read()
    v.assignAdd(tf.ones([100_000]))
    return { sum: tf.sum(tf.add(before, tf.mul(v.read(), 0))) }
  }).run()
  expect(sum.dataSync()[0]).toBe(0)
})

test('two variables of one name are two variables', async () => {
  const [one, two] = [vector('same', 1), vector('same', 2)]
  one.assign(tf.tensor1d([7]))
  expect([...(await one.data()), ...(await two.data())]).toEqual([7, 2])
})

test('zeros by default, int32 too; load replaces the values', async () => {
  const v = new Variable('counts', { shape: [2, 2], dtype: 'int32' })
  expect(await v.data()).toEqual(new Int32Array(4))
  v.load(Int32Array.of(1, 2, 3, 4))
  expect(v.read().arraySync()).toEqual([
    [1, 2],
    [3, 4],
  ])
  expect(() => v.load(new Int32Array(3))).toThrow(/counts has shape \[2, 2\] and was given 3 values/)
  expect(() => v.assign(tf.zeros([4], 'int32'))).toThrow(
    /AssignVariableOp: variable counts has shape \[2, 2\], the value \[4\]/,
  )
})

test('the fused AdamW step works on handles and updates in place', async () => {
  const [weight, first, second] = [vector('w', 1, -1), vector('m', 0, 0), vector('v', 0, 0)]
  const step = compile((gradient: tf.Tensor) => {
    const scalars = [0.9, 0.999, 0.1, 0.9, 0.999, 0].map((value) => tf.scalar(value))
    rawOp(
      'ResourceApplyAdam',
      [{ name: 'T', type: 'type', value: 'float32' }],
      [weight.handle(), first.handle(), second.handle(), ...scalars, gradient],
      0,
    )
    return { after: weight.read() }
  })
  const { after } = await step.run(tf.tensor1d([0.5, -2]))
  const [up, down] = after.dataSync() as Float32Array
  expect(up).toBeCloseTo(0.9, 5)
  expect(down).toBeCloseTo(-0.9, 5)
  expect(Array.from(await first.data())[1]).toBeCloseTo(-0.2, 6)
})

test('data waits for steps that are under way', async () => {
  const v = vector('slow', 0)
  const big = tf.ones<tf.Rank.R2>([600, 600])
  const slow = compile((x: tf.Tensor) => {
    v.assign(tf.reshape(tf.sum(tf.matMul(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D), x as tf.Tensor2D)), [1]))
    return { nothing: tf.scalar(0) }
  })
  void slow.run(big)
  expect((await v.data())[0]).toBeGreaterThan(0)
})

test('dispose frees the values after the steps under way, and functions that use them fail', async () => {
  const before = liveHandles()
  const v = vector('gone', 1)
  const read = compile(() => ({ value: tf.add(v.read(), 1) }))
  const running = read.run()
  v.dispose()
  const { value } = await running
  expect(value.dataSync()[0]).toBe(2)
  await expect(read.run()).rejects.toMatchObject({ code: 'TENSORFLOW_RUN_FAILED' })
  expect(() => v.read()).toThrow(expect.objectContaining({ code: 'TENSORFLOW_DISPOSED' }))
  value.dispose()
  read.dispose()
  expect(liveHandles()).toBe(before)
})
