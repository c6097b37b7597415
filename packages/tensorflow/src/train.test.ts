import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { bytes, compile, liveHandles, startTensorflow } from './index.ts'
import {
  batch,
  createState,
  disposeState,
  parameterNames,
  side,
  stepInputs,
  trainStep,
} from './testing/tiny-convnext.ts'

beforeAll(async () => {
  await startTensorflow({ device: 'cpu' })
})

type Step = (photos: tf.Tensor, labels: tf.Tensor, scalars: tf.Tensor, seed: tf.Tensor) => Record<string, tf.Tensor>

function tensors(index: number): Parameters<Step> {
  const { pixels, labels, scalars, seed } = stepInputs(index)
  return [bytes(pixels, [batch, side, side, 3]), tf.tensor1d(labels), tf.tensor1d(scalars), tf.tensor1d(seed, 'int32')]
}

/** Everything `steps` steps compute and leave behind, by name. */
async function record(
  steps: number,
  make: (step: Step) => (...inputs: Parameters<Step>) => Promise<Record<string, tf.Tensor>>,
): Promise<Map<string, Float32Array>> {
  const state = await createState()
  const step = make((...inputs) => trainStep(state, ...inputs))
  const seen = new Map<string, Float32Array>()
  for (let index = 0; index < steps; index++) {
    const inputs = tensors(index)
    const outputs = await step(...inputs)
    for (const [name, tensor] of Object.entries(outputs))
      seen.set(`${index} ${name}`, (await tensor.data()) as Float32Array)
    tf.dispose([inputs, outputs])
  }
  for (const name of parameterNames) {
    for (const [kind, variable] of Object.entries(state[name]!))
      seen.set(`${kind} ${name}`, (await variable.data()) as Float32Array)
  }
  disposeState(state)
  return seen
}

describe('ten AdamW steps of a small ConvNeXt', () => {
  test('eager and traced agree on forward, loss, every gradient and every variable', async () => {
    const eager = await record(
      10,
      (step) =>
        async (...inputs) =>
          tf.tidy(() => step(...inputs)),
    )
    const traced = await record(10, (step) => compile(step).run)

    expect([...traced.keys()]).toEqual([...eager.keys()])
    expect(eager.size).toBe(10 * (2 + parameterNames.length) + 3 * parameterNames.length)
    let largest = 0
    for (const [name, values] of eager) {
      traced.get(name)!.forEach((value, index) => (largest = Math.max(largest, Math.abs(value - values[index]!))))
    }
    expect(largest).toBeLessThan(1e-5)
    expect(eager.get('9 loss')![0]).toBeLessThan(eager.get('0 loss')![0]!)
  })

  test('the gradients are those of finite differences', async () => {
    const state = await createState()
    const step = compile((...inputs: Parameters<Step>) => trainStep(state, ...inputs))
    const frozen = tf.tensor1d([0, 0.9, 0.999])
    const [photos, labels, , seed] = tensors(0)
    const lossAt = async (): Promise<number> =>
      ((await step.run(photos, labels, frozen, seed))['loss'] as tf.Tensor).dataSync()[0]!
    const outputs = await step.run(photos, labels, frozen, seed)
    for (const [name, index] of [
      ['stem', 17],
      ['depthwise', 100],
      ['gamma', 3],
      ['expand', 40],
      ['layerScale', 2],
      ['head', 11],
    ] as const) {
      const { weight } = state[name]!
      const values = (await weight.data()) as Float32Array
      const delta = 1e-2
      const shifted = async (by: number): Promise<number> => {
        weight.load(values.map((value, at) => (at === index ? value + by : value)))
        return lossAt()
      }
      const slope = ((await shifted(delta)) - (await shifted(-delta))) / (2 * delta)
      weight.load(values)
      expect(slope).toBeCloseTo((outputs[`gradient/${name}`] as tf.Tensor).dataSync()[index]!, 3)
    }
  })

  test('in bfloat16 the loss and every gradient are close to those in float32', async () => {
    const exact = await record(1, (step) => compile(step).run)
    const rounded = await record(1, (step) => compile(step, { precision: 'bfloat16' }).run)
    for (const name of ['loss', ...parameterNames.map((name) => `gradient/${name}`)]) {
      const [one, other] = [exact.get(`0 ${name}`)!, rounded.get(`0 ${name}`)!]
      const norm = (values: Float32Array): number => Math.hypot(...values)
      expect(norm(one.map((value, index) => value - other[index]!)) / norm(one), name).toBeLessThan(0.03)
    }
  })

  test('the count of live handles is flat over 200 steps', async () => {
    const state = await createState()
    const step = compile((...inputs: Parameters<Step>) => trainStep(state, ...inputs))
    const counts = new Set<number>()
    for (let index = 0; index < 200; index++) {
      const inputs = tensors(index)
      const outputs = await step.run(...inputs)
      await (outputs['loss'] as tf.Tensor).data()
      tf.dispose([inputs, outputs])
      counts.add(liveHandles())
    }
    expect(counts.size).toBe(1)
    step.dispose()
    disposeState(state)
  })

  test('disposing of the function and its variables gives every handle back', async () => {
    const before = liveHandles()
    const state = await createState()
    const scale = tf.scalar(0.5)
    const step = compile((...inputs: Parameters<Step>) => ({
      loss: tf.mul(trainStep(state, ...inputs)['loss'] as tf.Tensor, scale),
    }))
    const inputs = tensors(0)
    const outputs = await step.run(...inputs)
    expect(liveHandles()).toBeGreaterThan(before + 3 * parameterNames.length)
    step.dispose()
    disposeState(state)
    tf.dispose([scale, inputs, outputs])
    expect(liveHandles()).toBe(before)
  })
})

describe('a process of its own', () => {
  const child = fileURLToPath(new URL('../dist/testing/child.js', import.meta.url))
  const run = (mode: string) => spawnSync(process.execPath, [child, mode], { encoding: 'utf8', timeout: 60_000 })

  test('the tests are built', () => {
    expect(existsSync(child), 'run `npx tsc -b` first').toBe(true)
  })

  test('two runs with one seed are equal bit for bit and end in order', () => {
    const [one, two] = [run('train'), run('withWorker')]
    expect(one.stdout).toMatch(/^[0-9a-f]{64}\n$/)
    expect(two.stdout).toBe(one.stdout)
    expect([one.status, two.status, one.stderr, two.stderr]).toEqual([0, 0, '', ''])
  })

  test('it ends in order while a step is under way', () => {
    const { status, signal, stderr } = run('exitDuringStep')
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  })
})
