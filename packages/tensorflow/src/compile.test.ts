import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { TensorflowError } from './errors.ts'
import { bytes, castToFloat, compile, liveHandles, rawOp, startTensorflow, stateless, Variable } from './index.ts'

beforeAll(async () => {
  await startTensorflow({ device: 'cpu' })
})

function failure(body: () => unknown): TensorflowError {
  try {
    body()
  } catch (error) {
    if (error instanceof TensorflowError) return error
    throw error
  }
  throw new Error('it did not fail')
}

const values = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync())

describe('compile', () => {
  test('traces once for a signature, again for a new shape or type', async () => {
    let traces = 0
    const double = compile((x: tf.Tensor) => {
      traces++
      return { y: tf.mul(castToFloat(x), 2) }
    })
    expect(values((await double.run(tf.tensor1d([1, 2]))).y)).toEqual([2, 4])
    expect(values((await double.run(tf.tensor1d([3, 4]))).y)).toEqual([6, 8])
    expect([traces, double.signatures]).toEqual([1, 1])
    expect(values((await double.run(tf.tensor1d([1, 2, 3]))).y)).toEqual([2, 4, 6])
    expect(values((await double.run(tf.tensor1d([5, 6], 'int32'))).y)).toEqual([10, 12])
    expect(values((await double.run(bytes(Uint8Array.of(200, 250), [2]))).y)).toEqual([400, 500])
    expect([traces, double.signatures]).toEqual([4, 4])
  })

  test('a tensor from outside is an input that outlives its owner, written to TensorFlow before or not', () => {
    const pending = tf.tensor1d([1, 2])
    const there = tf.tensor1d([10, 20])
    tf.add(there, 0).dispose()
    const sum = compile((x: tf.Tensor) => ({ y: tf.addN([x, pending, there]) }))
    expect(values(sum.runSync(tf.tensor1d([100, 200])).y)).toEqual([111, 222])
    expect(values(pending)).toEqual([1, 2])
    tf.dispose([pending, there])
    expect(values(sum.runSync(tf.tensor1d([100, 200])).y)).toEqual([111, 222])
  })

  test('an output may be an input, a constant or the same tensor twice', () => {
    const same = compile((x: tf.Tensor) => ({ x, again: x, constant: tf.tensor1d([7]) }))
    const { x, again, constant } = same.runSync(tf.tensor1d([1, 2]))
    expect([values(x), values(again), values(constant)]).toEqual([[1, 2], [1, 2], [7]])
  })

  test('gather works with indices that have no value yet', () => {
    const pick = compile((x: tf.Tensor, indices: tf.Tensor) => ({ y: tf.gather(x, indices as tf.Tensor1D) }))
    expect(values(pick.runSync(tf.tensor1d([10, 20, 30]), tf.tensor1d([2, 0], 'int32')).y)).toEqual([30, 10])
  })

  test('inside another trace it becomes part of it', () => {
    const square = compile((x: tf.Tensor) => ({ y: tf.square(x) }))
    const fourth = compile((x: tf.Tensor) => ({ y: square.runSync(square.runSync(x).y).y }))
    expect(values(fourth.runSync(tf.tensor1d([2])).y)).toEqual([16])
    expect(square.signatures).toBe(0)
  })

  test('runs in the order of the calls, and inputs may be disposed of at once', async () => {
    const last = new Variable('last', { shape: [], dtype: 'float32' })
    const set = compile((x: tf.Tensor) => {
      const before = last.read()
      last.assign(x)
      return { before }
    })
    const runs = [1, 2, 3].map((value) => {
      const x = tf.scalar(value)
      const result = set.run(x)
      x.dispose()
      return result
    })
    expect((await Promise.all(runs)).map(({ before }) => values(before)[0])).toEqual([0, 1, 2])
    expect(Array.from(await last.data())).toEqual([3])
  })

  test('the event loop turns while a step runs', async () => {
    const x = tf.ones([600, 600])
    const long = compile((x: tf.Tensor) => {
      let y = x as tf.Tensor2D
      for (let index = 0; index < 6; index++) y = tf.mul(tf.matMul(y, x as tf.Tensor2D), 1e-3)
      return { y: tf.sum(y) }
    })
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    long.runSync(x)
    expect(ticks).toBe(0)
    // A run may be over before the timer is due, but not every one.
    for (let runs = 0; runs < 1000 && ticks === 0; runs++) await long.run(x)
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(0)
  })

  test('bfloat16 is close to float32', async () => {
    const seed = (value: number) => tf.tensor1d([1, value], 'int32')
    const x = stateless.normal([64, 256], seed(0))
    const weights = [1, 2, 3].map((index) => tf.mul(stateless.normal([256, 256], seed(index)), 1 / 16))
    const net = (x: tf.Tensor) => ({
      y: weights.reduce((y, w) => tf.relu(tf.matMul(y as tf.Tensor2D, w as tf.Tensor2D)), x),
    })
    const exact = values((await compile(net).run(x)).y)
    const rounded = values((await compile(net, { precision: 'bfloat16' }).run(x)).y)
    const scale = Math.max(...exact.map(Math.abs))
    const largest = Math.max(...exact.map((value, index) => Math.abs(value - rounded[index]!))) / scale
    expect(largest).toBeLessThan(0.03)
    // Without such instructions TensorFlow stays with float32.
    if (/avx512_bf16|amx_bf16/.test(readFileSync('/proc/cpuinfo', 'utf8'))) expect(largest).toBeGreaterThan(1e-4)
  })

  test('XLA computes the same', async () => {
    const w = new Variable('xla', { shape: [2, 2], dtype: 'float32', data: Float32Array.of(1, 2, 3, 4) })
    const fn = (x: tf.Tensor) => {
      w.assignAdd(x)
      return { y: tf.matMul(x, w.read()) }
    }
    const x = tf.tensor2d([
      [1, 0],
      [0, 1],
    ])
    expect(values((await compile(fn, { xla: true }).run(x)).y)).toEqual([2, 2, 3, 5])
    expect(Array.from(await w.data())).toEqual([2, 2, 3, 5])
  })
})

describe('errors name the operation and the place', () => {
  const here = /compile\.test\.ts:\d+/

  test('reading a value while tracing', () => {
    const error = failure(() =>
      compile((x: tf.Tensor) => ({ y: tf.scalar(x.dataSync()[0]!) })).runSync(tf.tensor1d([1])),
    )
    expect(error.code).toBe('TENSORFLOW_VALUE_IN_TRACE')
    expect(error.message).toMatch(here)
  })

  test('a shape that depends on values, unless it is declared', () => {
    const where = (shapes?: number[][]) =>
      compile((x: tf.Tensor) => ({
        y: rawOp('Where', [{ name: 'T', type: 'type', value: 'float32' }], [x], 1, shapes)[0]!,
      }))
    const error = failure(() => where().runSync(tf.tensor1d([0, 1, 1])))
    expect(error.code).toBe('TENSORFLOW_UNKNOWN_SHAPE')
    expect(error.message).toMatch(/^Where: .*\[\?, 1\]/)
    expect(error.message).toMatch(here)
    expect(where([[2, 1]]).runSync(tf.tensor1d([0, 1, 1])).y.shape).toEqual([2, 1])
  })

  test.each([
    ['no such operation', 'Nope', () => rawOp('Nope', [], [], 1)],
    [
      'no such attribute',
      'MatMul.*no attribute sideways',
      () => rawOp('MatMul', [{ name: 'sideways', type: 'bool', value: true }], [tf.ones([2, 2]), tf.ones([2, 2])], 1),
    ],
    ['shapes that do not fit', 'MatMul', () => rawOp('MatMul', [], [tf.ones([2, 2]), tf.ones([3, 3])], 1)],
    [
      'a type it has no kernel for',
      'Erf',
      () => rawOp('Erf', [{ name: 'T', type: 'type', value: 'int32' }], [tf.tensor1d([1], 'int32')], 1),
    ],
    ['too many inputs', 'Square', () => rawOp('Square', [], [tf.scalar(1), tf.scalar(1)], 1)],
  ])('%s', (_, message, body) => {
    for (const run of [body, () => compile(() => ({ y: body()[0]! })).runSync()]) {
      const error = failure(run)
      expect(error.code).toBe('TENSORFLOW_OP_REFUSED')
      expect(error.message).toMatch(new RegExp(`^${message}`))
      expect(error.message).toMatch(here)
    }
  })

  test('a tensor that left its trace', () => {
    let kept: tf.Tensor | undefined
    compile((x: tf.Tensor) => {
      kept = tf.keep(tf.square(x))
      return { x }
    }).runSync(tf.scalar(2))
    expect(failure(() => kept!.dataSync()).code).toBe('TENSORFLOW_OUTSIDE_TRACE')
  })

  test('a failure during a run, with the place of the call', async () => {
    const check = compile(
      (x: tf.Tensor) => ({
        y: rawOp('CheckNumerics', [{ name: 'message', type: 'string', value: 'not finite' }], [x], 1)[0]!,
      }),
      { name: 'checked' },
    )
    const error = await check.run(tf.tensor1d([NaN])).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'TENSORFLOW_RUN_FAILED' })
    expect((error as Error).message).toMatch(/^checked: .*not finite/s)
    expect((error as Error).message).toMatch(here)
  })

  test('a failed trace leaves no handle and no trace behind', () => {
    const outside = tf.tensor1d([1, 2])
    tf.square(outside).dispose()
    const x = tf.tensor1d([1, 2])
    tf.square(x).dispose()
    const before = liveHandles()
    failure(() => compile((x: tf.Tensor) => ({ y: rawOp('Nope', [], [tf.add(x, outside)], 1)[0]! })).runSync(x))
    expect(liveHandles()).toBe(before)
    expect(values(tf.add(x, outside))).toEqual([2, 4])
  })

  test('use after dispose', () => {
    const fn = compile((x: tf.Tensor) => ({ x }))
    fn.runSync(tf.scalar(1))
    fn.dispose()
    expect(failure(() => fn.runSync(tf.scalar(1))).code).toBe('TENSORFLOW_DISPOSED')
  })
})
