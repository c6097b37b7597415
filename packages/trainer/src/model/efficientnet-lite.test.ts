import * as tf from '@tensorflow/tfjs-core'
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { livelyWeights } from '../testing/test-run.ts'
import { startTensorflow } from '@flowers/tensorflow'
import type { BatchStatistics, ForwardContext, Model, ModelOptions } from './architecture.ts'
import { efficientnetLite } from './efficientnet-lite.ts'
import { architectures } from './registry.ts'

beforeAll(async () => {
  await startTensorflow({ device: 'cpu' })
})

const options: ModelOptions = { classes: 4, head: { kind: 'linear' }, stochasticDepth: 0, layerScale: 0 }
const narrow = efficientnetLite({ name: 'narrow', width: 0.25, depth: 0.4, dropout: 0 })
const model = narrow.build(options)
const values = livelyWeights(model, 7)
const images = (count = 3): Tensor4D => tf.randomNormal([count, 48, 40, 3], 0, 1, 'float32', 5)

type Named = ReadonlyMap<string, Tensor>

const tensorsOf = (of: Model, from: ReadonlyMap<string, Float32Array>): Map<string, Tensor> =>
  new Map(of.parameters.map(({ name, shape }) => [name, tf.tensor(from.get(name) ?? [], [...shape])]))

const contextOf = (tensors: Named, training: Partial<ForwardContext> = {}): ForwardContext => ({
  parameter: (name) => {
    const tensor = tensors.get(name)
    if (!tensor) throw new Error(`no parameter ${name}`)
    return tensor
  },
  training: false,
  uniform: () => {
    throw new Error('nothing to draw')
  },
  ...training,
})

const logitsOf = (of: Model, x: Tensor, context: ForwardContext): Tensor =>
  of.classify(of.featureMap(x, context), context)

function largestDifference(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape)
  return tf.max(tf.abs(tf.sub(actual, expected))).dataSync()[0] ?? NaN
}

type Normalize = (x: Tensor, name: string) => Tensor

/** Every block of the network by stage and place. */
const blockNames = ['0.0', '1.0', '2.0', '3.0', '3.1', '4.0', '4.1', '5.0', '5.1', '6.0']

function writtenOut(x: Tensor, get: (name: string) => Tensor, normalize: Normalize): Tensor {
  const conv = (y: Tensor, name: string, stride = 1): Tensor =>
    tf.conv2d(y as Tensor4D, get(`${name}.weight`) as Tensor4D, stride, 'same')
  const depthwise = (y: Tensor, name: string, stride: number): Tensor =>
    tf.depthwiseConv2d(y as Tensor4D, get(`${name}.weight`) as Tensor4D, stride, 'same')
  const cut = (y: Tensor): Tensor => tf.clipByValue(y, 0, 6)
  let y = cut(normalize(conv(x, 'conv_stem', 2), 'bn1'))
  for (const block of blockNames) {
    const name = `blocks.${block}`
    const stage = Number(block[0])
    const stride = block.endsWith('.0') ? ([1, 2, 2, 2, 1, 2, 1][stage] ?? 1) : 1
    let inner = y
    if (stage > 0) inner = cut(normalize(conv(inner, `${name}.conv_pw`), `${name}.bn1`))
    inner = cut(normalize(depthwise(inner, `${name}.conv_dw`, stride), `${name}.${stage > 0 ? 'bn2' : 'bn1'}`))
    inner = normalize(
      conv(inner, `${name}.${stage > 0 ? 'conv_pwl' : 'conv_pw'}`),
      `${name}.${stage > 0 ? 'bn3' : 'bn2'}`,
    )
    y = stride === 1 && inner.shape[3] === y.shape[3] ? tf.add(y, inner) : inner
  }
  y = cut(normalize(conv(y, 'conv_head'), 'bn2'))
  return tf.add(tf.matMul(tf.mean<Tensor2D>(y, [1, 2]), get('classifier.weight') as Tensor2D), get('classifier.bias'))
}

const stored =
  (get: (name: string) => Tensor): Normalize =>
  (x, name) =>
    tf.batchNorm(
      x as Tensor4D,
      get(`${name}.running_mean`) as Tensor1D,
      get(`${name}.running_var`) as Tensor1D,
      get(`${name}.bias`) as Tensor1D,
      get(`${name}.weight`) as Tensor1D,
      1e-3,
    )

describe('the network', () => {
  it('is as written out, with the stored statistics', () => {
    const context = contextOf(tensorsOf(model, values))
    const expected = writtenOut(images(), context.parameter, stored(context.parameter))
    expect(tf.max(tf.abs(expected)).dataSync()[0]).toBeGreaterThan(0.5)
    expect(largestDifference(logitsOf(model, images(), context), expected)).toBeLessThan(1e-4)
  })

  it('has the gradient of filters, scales and shifts through the folded normalisation', () => {
    const trained = model.parameters.filter(({ trainable }) => trainable)
    const tensors = tensorsOf(model, values)
    const gradientsOf = (forward: (get: (name: string) => Tensor) => Tensor) => {
      const { grads } = tf.valueAndGrads((...given: Tensor[]) => {
        const all = new Map([...tensors, ...trained.map(({ name }, index) => [name, given[index] as Tensor] as const)])
        return tf.mean(tf.square(forward((name) => all.get(name) as Tensor)))
      })(trained.map(({ name }) => tensors.get(name) as Tensor))
      return new Map(trained.map(({ name }, index) => [name, grads[index] as Tensor]))
    }
    const ours = gradientsOf((get) =>
      logitsOf(model, images(), { ...contextOf(new Map()), parameter: get, training: true }),
    )
    const reference = gradientsOf((get) => writtenOut(images(), get, stored(get)))
    for (const { name } of trained) {
      const expected = reference.get(name) as Tensor
      const scale = tf.max(tf.abs(expected)).dataSync()[0] as number
      expect(scale, name).toBeGreaterThan(0)
      expect(largestDifference(ours.get(name) as Tensor, expected) / scale, name).toBeLessThan(1e-3)
    }
  })

  it('gives the same logits with every normalisation folded into its convolution', () => {
    const folded = model.fold(values)
    expect([...folded.values.keys()].toSorted()).toEqual(folded.model.parameters.map(({ name }) => name).toSorted())
    expect(folded.model.parameters.some(({ name }) => name.includes('bn'))).toBe(false)
    const logits = logitsOf(folded.model, images(), contextOf(tensorsOf(folded.model, folded.values)))
    expect(largestDifference(logits, logitsOf(model, images(), contextOf(tensorsOf(model, values))))).toBeLessThan(1e-4)
  })
})

describe('statistics of the batch', () => {
  const train = (trains: BatchStatistics['trains']) => {
    const updates = new Map<string, Tensor>()
    const batchStatistics: BatchStatistics = { trains, update: (name, value) => updates.set(name, tf.keep(value)) }
    const context = contextOf(tensorsOf(model, values), { training: true, batchStatistics })
    return { logits: logitsOf(model, images(), context), updates, context }
  }
  const kept = 0.99

  it('normalise, and move the averages by a hundredth', () => {
    const { logits, updates, context } = train(() => true)
    const expected = new Map<string, Tensor>()
    const get = context.parameter
    const byBatch: Normalize = (x, name) => {
      const { mean, variance } = tf.moments(x, [0, 1, 2])
      const count = x.size / mean.size
      const unbiased = tf.mul(variance, count / (count - 1))
      expected.set(`${name}.running_mean`, tf.add(tf.mul(kept, get(`${name}.running_mean`)), tf.mul(1 - kept, mean)))
      expected.set(`${name}.running_var`, tf.add(tf.mul(kept, get(`${name}.running_var`)), tf.mul(1 - kept, unbiased)))
      const normal = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3)))
      return tf.add(tf.mul(normal, get(`${name}.weight`)), get(`${name}.bias`))
    }
    expect(largestDifference(logits, writtenOut(images(), get, byBatch))).toBeLessThan(1e-3)
    expect([...updates.keys()].toSorted()).toEqual([...expected.keys()].toSorted())
    for (const [name, value] of updates)
      expect(largestDifference(value, expected.get(name) as Tensor), name).toBeLessThan(1e-4)
  })

  it('can be those of the last normalisation alone', () => {
    const { updates } = train((name) => name === model.batchNormalizations.at(-1))
    expect([...updates.keys()]).toEqual(['bn2.running_mean', 'bn2.running_var'])
  })

  it('are not used outside training', () => {
    const batchStatistics: BatchStatistics = {
      trains: () => true,
      update: () => {
        throw new Error('no update')
      },
    }
    const tensors = tensorsOf(model, values)
    const logits = logitsOf(model, images(), contextOf(tensors, { batchStatistics }))
    expect(largestDifference(logits, logitsOf(model, images(), contextOf(tensors)))).toBe(0)
  })
})

describe('the variants', () => {
  // timm 1.0: `tf_efficientnet_lite0` to `2`.
  it.each([
    ['efficientnet_lite0', 4_652_008, 16],
    ['efficientnet_lite1', 5_416_680, 21],
    ['efficientnet_lite2', 6_092_072, 21],
  ])("%s has timm's number of parameters, and blocks", (name, parameters, blocks) => {
    const built = architectures[name]?.build({ ...options, classes: 1000 }).parameters ?? []
    const count = built.reduce(
      (sum, { shape, trainable }) => sum + (trainable ? shape.reduce((a, b) => a * b, 1) : 0),
      0,
    )
    expect(count).toBe(parameters)
    expect(built.filter(({ name: each }) => each.endsWith('conv_dw.weight'))).toHaveLength(blocks)
  })

  it('leave weight decay, gradients and phases to the right parameters', () => {
    const names = (keep: (p: (typeof model.parameters)[number]) => boolean): string[] =>
      model.parameters.filter(keep).map(({ name }) => name)
    expect(names(({ trainable }) => !trainable)).toEqual(names(({ name }) => /running_(mean|var)$/.test(name)))
    expect(names(({ group }) => group === 'head')).toEqual(['classifier.weight', 'classifier.bias'])
    expect(names(({ decay }) => decay)).toEqual(names(({ shape }) => shape.length > 1))
    expect(new Set(names(() => true)).size).toBe(model.parameters.length)
  })

  it('take a head with a hidden layer', () => {
    const mlp = narrow.build({ ...options, head: { kind: 'mlp', hidden: 6, dropout: 0.5 } })
    expect(logitsOf(mlp, images(), contextOf(tensorsOf(mlp, livelyWeights(mlp, 1)))).shape).toEqual([3, 4])
  })

  it('draw a number a photo for each residual branch, and one a feature for dropout', () => {
    const dropping = efficientnetLite({ name: 'narrow', width: 0.25, depth: 0.4, dropout: 0.2 }).build({
      ...options,
      stochasticDepth: 0.2,
    })
    const drawn: number[][] = []
    const uniform = (shape: number[]): Tensor => {
      drawn.push(shape)
      return tf.ones(shape)
    }
    logitsOf(
      dropping,
      images(),
      contextOf(tensorsOf(dropping, livelyWeights(dropping, 1)), { training: true, uniform }),
    )
    expect(drawn).toEqual([...Array.from({ length: 3 }, () => [3, 1, 1, 1]), [3, 1280]])
  })

  it('have no LayerScale', () => {
    expect(() => narrow.build({ ...options, layerScale: 1e-6 })).toThrow(/model\.layerScale to 0/)
  })
})
