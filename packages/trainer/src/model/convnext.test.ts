import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { compile, startTensorflow } from '@flowers/tensorflow'
import type { ForwardContext, Model } from './architecture.ts'
import { convnext, stochasticDepthRates } from './convnext.ts'
import { initialize } from './init.ts'
import { architectures } from './registry.ts'
import { mapWeights } from './weights/load.ts'
import { readSafetensors, type SafetensorsTensor } from './weights/safetensors.ts'

const fixtures = fileURLToPath(new URL('../../../../tests/fixtures/convnext/', import.meta.url))
const small = convnext({
  name: 'small',
  depths: [1, 1, 2, 1],
  dims: [8, 16, 24, 32],
  mlpKind: 'linear',
  stochasticDepth: 0,
})
const options = { classes: 10, head: { kind: 'linear' }, stochasticDepth: 0, layerScale: 1e-6 } as const
const tolerance = 1e-4

const forbidRandomness = (): never => {
  throw new Error('evaluation must not draw random numbers')
}

function contextOf(
  model: Model,
  values: ReadonlyMap<string, Float32Array>,
  training?: ForwardContext['uniform'],
): ForwardContext {
  const tensors = new Map(
    model.parameters.map(({ name, shape }) => [name, tf.tensor(values.get(name) ?? [], [...shape])]),
  )
  return contextFrom(tensors, training)
}

function contextFrom(tensors: ReadonlyMap<string, Tensor>, uniform?: ForwardContext['uniform']): ForwardContext {
  const parameter = (name: string): Tensor => {
    const tensor = tensors.get(name)
    if (!tensor) throw new Error(`no parameter ${name}`)
    return tensor
  }
  return { parameter, training: uniform !== undefined, uniform: uniform ?? forbidRandomness }
}

const logitsOf = (model: Model, images: Tensor, context: ForwardContext): Tensor =>
  model.classify(model.featureMap(images, context), context)

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length)
  return Array.from(actual).reduce((largest, value, i) => Math.max(largest, Math.abs(value - (expected[i] ?? NaN))), 0)
}

const floats = (tensor: SafetensorsTensor | undefined): Float32Array => {
  if (!(tensor?.data instanceof Float32Array)) throw new Error('the fixture lacks a tensor')
  return tensor.data
}

beforeAll(async () => {
  await startTensorflow({ device: 'cpu' })
})

describe('against timm', () => {
  const model = small.build(options)
  let expected: Map<string, SafetensorsTensor>
  let images: Tensor

  beforeAll(async () => {
    expected = await readSafetensors(`${fixtures}expected.safetensors`)
    images = tf.tensor4d(floats(expected.get('images')), [2, 64, 96, 3])
  })

  it.each(['timm', 'huggingface', 'torchvision'])(
    'has the features and logits of the weights saved by %s',
    async (library) => {
      const values = mapWeights(model, await readSafetensors(`${fixtures}${library}.safetensors`), { head: 'load' })
      const context = contextOf(model, values)
      const features = model.featureMap(images, context)
      expect(features.shape).toEqual([2, 2, 3, 32])
      expect(largestDifference(features.dataSync(), floats(expected.get('features')))).toBeLessThan(tolerance)
      expect(
        largestDifference(model.classify(features, context).dataSync(), floats(expected.get('logits'))),
      ).toBeLessThan(tolerance)
    },
  )

  it.each(['eager', 'traced'])('has the gradient of every parameter, %s', async (mode) => {
    const values = mapWeights(model, await readSafetensors(`${fixtures}timm.safetensors`), { head: 'load' })
    const tensors = model.parameters.map(({ name, shape }) => tf.tensor(values.get(name) ?? [], [...shape]))
    const labels = tf.oneHot(tf.tensor1d(Array.from(expected.get('labels')?.data ?? [], Number), 'int32'), 10)
    const differentiate = (...inputs: Tensor[]): Record<string, Tensor> => {
      const { value, grads } = tf.valueAndGrads((...parameters: Tensor[]) => {
        const named = new Map(model.parameters.map(({ name }, i) => [name, parameters[i] as Tensor]))
        const logProbabilities = tf.logSoftmax(logitsOf(model, images, contextFrom(named)) as Tensor2D)
        return tf.neg(tf.mean(tf.sum(tf.mul(logProbabilities, labels), -1)))
      })(inputs)
      return { loss: value, ...Object.fromEntries(model.parameters.map(({ name }, i) => [name, grads[i] as Tensor])) }
    }
    const compiled = compile(differentiate)
    const results = mode === 'eager' ? differentiate(...tensors) : compiled.runSync(...tensors)
    compiled.dispose()
    expect(largestDifference(results['loss']?.dataSync() ?? [], floats(expected.get('loss')))).toBeLessThan(tolerance)

    const prefix = 'gradient.'
    const inTimm = [...expected].filter(([name]) => name.startsWith(prefix))
    const renamed = new Map(inTimm.map(([name, tensor]) => [name.slice(prefix.length), tensor]))
    for (const [name, gradient] of mapWeights(model, renamed, { head: 'load' })) {
      expect(largestDifference(results[name]?.dataSync() ?? [], gradient), name).toBeLessThan(tolerance)
    }
  })

  it('has the logits of the MLP head', async () => {
    const mlp = small.build({ ...options, head: { kind: 'mlp', hidden: 12, dropout: 0.35 } })
    const { logits, ...head } = Object.fromEntries(await readSafetensors(`${fixtures}mlp_head.safetensors`))
    const backbone = [...(await readSafetensors(`${fixtures}timm.safetensors`))].filter(
      ([name]) => !name.startsWith('head.'),
    )
    const values = mapWeights(mlp, new Map([...backbone, ...Object.entries(head)]), { head: 'load' })
    expect(largestDifference(logitsOf(mlp, images, contextOf(mlp, values)).dataSync(), floats(logits))).toBeLessThan(
      tolerance,
    )
  })

  it('gives the same logits after LayerScale is folded', async () => {
    const values = mapWeights(model, await readSafetensors(`${fixtures}timm.safetensors`), { head: 'load' })
    const before = new Map([...values].map(([name, value]) => [name, value.slice()]))
    const folded = model.fold(values)
    expect(values).toEqual(before)
    expect([...folded.values.keys()].toSorted()).toEqual(folded.model.parameters.map(({ name }) => name).toSorted())
    expect(folded.model.parameters.some(({ name }) => name.endsWith('gamma'))).toBe(false)
    const logits = logitsOf(folded.model, images, contextOf(folded.model, folded.values))
    expect(largestDifference(logits.dataSync(), floats(expected.get('logits')))).toBeLessThan(tolerance)
  })
})

describe('sizes', () => {
  const head = { kind: 'mlp', hidden: 512, dropout: 0.35 } as const
  // Counted by timm 1.0.31: `convnext_<size>` and the same with `num_classes=152, head_hidden_size=512`.
  it.each([
    ['convnext_atto', 3_695_520, 3_616_848],
    ['convnext_femto', 5_217_784, 5_107_880],
    ['convnext_pico', 9_045_672, 8_873_304],
    ['convnext_nano', 15_593_560, 15_358_728],
    ['convnext_tiny', 28_589_128, 28_291_832],
    ['convnext_small', 50_223_688, 49_926_392],
    ['convnext_base', 88_591_464, 88_169_240],
    ['convnext_large', 197_767_336, 197_095_256],
  ])("%s has timm's number of parameters", (name, linear, mlp) => {
    const count = (model?: Model): number =>
      model?.parameters.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0) ?? 0
    expect(count(architectures[name]?.build({ ...options, classes: 1000 }))).toBe(linear)
    expect(count(architectures[name]?.build({ ...options, classes: 152, head }))).toBe(mlp)
  })

  it('are told apart by the groups of their parameters', () => {
    const parameters = small.build({ ...options, head }).parameters
    const names = (keep: (p: (typeof parameters)[number]) => boolean): string[] =>
      parameters.filter(keep).map(({ name }) => name)
    expect(names(({ group }) => group === 'head')).toEqual(names(({ name }) => name.startsWith('head.')))
    expect(names(({ decay }) => decay)).toEqual(
      names(({ shape, name }) => shape.length > 1 && name.endsWith('.weight')),
    )
    expect(new Set(names(() => true)).size).toBe(parameters.length)
  })
})

describe('while training', () => {
  const images = (): Tensor => tf.randomNormal([4, 32, 32, 3], 0, 1, 'float32', 7)

  it('drops branches at rates that grow linearly to the largest', () => {
    expect(stochasticDepthRates([1, 1, 2, 1], 0.4).flat()).toEqual([0, 0.1, 0.2, expect.closeTo(0.3), 0.4])
    expect(stochasticDepthRates([1], 0.4)).toEqual([[0]])
  })

  it('drops a branch for each sample by itself and rescales what it keeps', () => {
    const model = convnext({ name: 'two', depths: [2], dims: [8], mlpKind: 'linear', stochasticDepth: 0.4 }).build({
      ...options,
      stochasticDepth: 0.4,
      layerScale: 1,
    })
    const values = initialize(model, 1)
    const shapes: number[][] = []
    const uniform = (shape: number[]): Tensor => {
      shapes.push(shape)
      return tf.tensor([0.1, 0.39, 0.41, 0.9], shape)
    }
    const x = images()
    const trained = model.featureMap(x, contextOf(model, values, uniform))
    expect(shapes).toEqual([[4, 1, 1, 1]])

    const withoutSecond = new Map(values).set('stages.0.blocks.1.gamma', new Float32Array(8))
    const kept = new Map(values).set('stages.0.blocks.1.gamma', new Float32Array(8).fill(1 / 0.6))
    const dropped = model.featureMap(x, contextOf(model, withoutSecond))
    const rescaled = model.featureMap(x, contextOf(model, kept))
    const expected = tf.concat([tf.slice(dropped, [0], [2]), tf.slice(rescaled, [2], [2])])
    expect(largestDifference(trained.dataSync(), expected.dataSync())).toBeLessThan(1e-5)
    expect(largestDifference(dropped.dataSync(), rescaled.dataSync())).toBeGreaterThan(1e-3)
  })

  it('applies dropout in the MLP head only', () => {
    const head = { kind: 'mlp', hidden: 6, dropout: 0.5 } as const
    const model = small.build({ ...options, head })
    const drawn: number[][] = []
    const uniform = (shape: number[]): Tensor => {
      drawn.push(shape)
      return tf.zeros(shape)
    }
    const values = initialize(model, 1)
    values.set(
      'head.fc.bias',
      Float32Array.from({ length: 10 }, (_, i) => i),
    )
    const logits = logitsOf(model, images(), contextOf(model, values, uniform))
    expect(drawn).toEqual([[4, 6]])
    expect(Array.from(logits.dataSync().slice(10, 20))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('leaves LayerScale out at 0', () => {
    const model = small.build({ ...options, layerScale: 0 })
    expect(model.parameters.filter(({ name }) => name.endsWith('gamma'))).toEqual([])
    expect(logitsOf(model, images(), contextOf(model, initialize(model, 1))).shape).toEqual([4, 10])
  })
})
