import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import ort from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelOptions } from '../model/architecture.ts'
import { convnext } from '../model/convnext.ts'
import { inference } from '../model/inference.ts'
import { Random } from '@flowers/shared/random'
import { startTensorflow } from '@flowers/tensorflow'
import { ensurePythonEnvironment } from '@flowers/tensorflow/python'
import { convertToOnnx } from './convert.ts'
import { freezeModel } from './freeze-model.ts'
import { livelyWeights } from '../testing/test-run.ts'

const size = 64
const classes = 3
const channels = 12
const places = 8 * 8
const epsilon = 1e-6

let folder: string
beforeAll(async () => {
  await startTensorflow()
  folder = await mkdtemp(join(tmpdir(), 'flowers-class-maps-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Rows [count, width] of a matrix. */
const rows = (values: Float32Array, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, row) => [...values.subarray(row * width, (row + 1) * width)])

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const mean = (values: readonly number[]): number => sum(values) / values.length
const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((value, index) => value * b[index]!))
const column = (matrix: readonly number[][], index: number): number[] => matrix.map((row) => row[index]!)

/** Share of a standard normal distribution below `x`, by Simpson's rule. */
function normalShare(x: number): number {
  const steps = 2000
  const density = (at: number): number => Math.exp((-at * at) / 2) / Math.sqrt(2 * Math.PI)
  const points = Array.from({ length: steps + 1 }, (_, index) => {
    const weight = index === 0 || index === steps ? 1 : index % 2 === 1 ? 4 : 2
    return weight * density((x * index) / steps)
  })
  return 0.5 + (sum(points) * x) / steps / 3
}

describe.each<{ head: ModelOptions['head']; name: string }>([
  { name: 'a normalisation and a linear layer', head: { kind: 'linear' } },
  { name: 'a normalisation, a hidden layer and a linear layer', head: { kind: 'mlp', hidden: 5, dropout: 0.3 } },
])('maps of a network that ends in pooling, $name', ({ head }) => {
  const model = convnext({
    name: 'tiny',
    depths: [1, 1],
    dims: [8, channels],
    mlpKind: 'linear',
    stochasticDepth: 0,
  }).build({
    classes,
    head,
    stochasticDepth: 0,
    layerScale: 0.1,
  })
  const values = livelyWeights(model, 4)
  const vector = (name: string): number[] => [...values.get(name)!]

  /** What each place adds to the logit of each class, and what no place has a share in. By hand, from the feature map [places, channels]. */
  function byHand(features: number[][]): { maps: number[][]; constants: number[] } {
    const pooled = Array.from({ length: channels }, (_, channel) => mean(column(features, channel)))
    const centre = mean(pooled)
    const deviation = Math.sqrt(mean(pooled.map((value) => (value - centre) ** 2)) + epsilon)
    const [gamma, beta] = [vector('head.norm.weight'), vector('head.norm.bias')]
    /** A place as the normalisation of the pooled features leaves it, without its shift. */
    const normal = (place: number[]): number[] =>
      place.map((value, channel) => ((value - mean(place)) / deviation) * gamma[channel]!)
    const last = rows(values.get('head.fc.weight')!, classes)
    const bias = vector('head.fc.bias')
    if (head.kind === 'linear') {
      return {
        maps: bias.map((_, index) => features.map((place) => dot(normal(place), column(last, index)))),
        constants: bias.map((value, index) => value + dot(beta, column(last, index))),
      }
    }
    const hidden = rows(values.get('head.pre_logits.fc.weight')!, head.hidden)
    const unit = (index: number, place: number[]): number => dot(normal(place), column(hidden, index))
    const shifts = vector('head.pre_logits.fc.bias').map((value, index) => value + dot(beta, column(hidden, index)))
    const gates = shifts.map((shift, index) => normalShare(unit(index, pooled) + shift))
    const through = (each: (index: number) => number, to: number): number =>
      sum(gates.map((gate, index) => last[index]![to]! * gate * each(index)))
    return {
      maps: bias.map((_, to) => features.map((place) => through((index) => unit(index, place), to))),
      constants: bias.map((value, to) => value + through((index) => shifts[index]!, to)),
    }
  }

  it('are what each place adds to the logits', async () => {
    const target = join(folder, `${head.kind}.onnx`)
    const { python } = await ensurePythonEnvironment()
    const options = { folder, target, python }
    const { classMaps } = await convertToOnnx({ graphDef: freezeModel(model, values, size), ...options })
    expect(classMaps).toBe(true)

    const random = new Random(6, 'parity')
    const images = Float32Array.from({ length: 2 * size * size * 3 }, () => random.normal())
    const pictures = tf.tensor(images, [2, size, size, 3])
    const tensors = new Map(model.parameters.map(({ name, shape }) => [name, tf.tensor(values.get(name)!, [...shape])]))
    const context = inference((name) => tensors.get(name)!)
    const features = rows((await model.featureMap(pictures, context).data()) as Float32Array, channels)
    const planes = (await tf.transpose(pictures, [0, 3, 1, 2]).data()) as Float32Array

    const session = await ort.InferenceSession.create(target)
    const { logits, class_maps: maps } = await session.run({
      pixel_values: new ort.Tensor('float32', planes, [2, 3, size, size]),
    })
    await session.release()
    expect(maps!.dims).toEqual([2, classes, 8, 8])
    const found = rows(maps!.data as Float32Array, places)
    for (const image of [0, 1]) {
      const expected = byHand(features.slice(image * places, (image + 1) * places))
      for (const [index, map] of expected.maps.entries()) {
        const actual = found[image * classes + index]!
        expect(Math.max(...actual) - Math.min(...actual)).toBeGreaterThan(0.1)
        for (const [place, value] of map.entries()) expect(actual[place]).toBeCloseTo(value, 4)
        const logit = logits!.data[image * classes + index] as number
        expect(mean(actual) + expected.constants[index]!).toBeCloseTo(logit, 4)
      }
    }
  }, 180_000)
})
