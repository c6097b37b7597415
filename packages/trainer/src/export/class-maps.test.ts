import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ort from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Model } from '../model/architecture.ts'
import { convnext } from '../model/convnext.ts'
import { efficientnetLite } from '../model/efficientnet-lite.ts'
import { Random } from '../random.ts'
import { startTensorflow } from '../tensorflow/index.ts'
import { ensurePythonEnvironment } from '../tensorflow/python.ts'
import { convertToOnnx } from './convert.ts'
import { freezeModel } from './freeze-model.ts'
import { livelyWeights } from './test-run.ts'

const classes = 3
const head = { kind: 'linear' } as const
const models = {
  'a normalisation and a linear layer': {
    size: 64,
    model: convnext({ name: 'tiny', depths: [1, 1], dims: [8, 12], mlpKind: 'linear', stochasticDepth: 0 }).build({
      classes,
      head,
      stochasticDepth: 0,
      layerScale: 0.1,
    }),
    constants: (values: Values) => constantsOf(values, 'head.fc', values.get('head.norm.bias')!),
  },
  'a linear layer': {
    size: 72,
    model: efficientnetLite({ name: 'narrow', width: 0.25, depth: 0.4, dropout: 0.2 }).build({
      classes,
      head,
      stochasticDepth: 0,
      layerScale: 0,
    }),
    constants: (values: Values) => constantsOf(values, 'classifier', null),
  },
} satisfies Record<string, { size: number; model: Model; constants: (values: Values) => number[] }>

type Values = ReadonlyMap<string, Float32Array>

/** What a logit has besides the mean of its map: the bias, and the last weights times what the normalisation adds. */
function constantsOf(values: Values, layer: string, shift: Float32Array | null): number[] {
  const weights = values.get(`${layer}.weight`)!
  return Array.from(values.get(`${layer}.bias`)!, (bias, index) => {
    const added = [...(shift ?? [])].map((value, channel) => value * weights[channel * classes + index]!)
    return added.reduce((sum, value) => sum + value, bias)
  })
}

let folder: string

beforeAll(async () => {
  await startTensorflow()
  folder = await mkdtemp(join(tmpdir(), 'flowers-class-maps-'))
})

afterAll(() => rm(folder, { recursive: true }))

describe.each(Object.entries(models))('the class maps of a network that ends in %s', (name, spec) => {
  const { size, model, constants } = spec
  const values = livelyWeights(model, 4)
  let session: ort.InferenceSession

  beforeAll(async () => {
    const target = join(folder, `${name.length}.onnx`)
    const { python } = await ensurePythonEnvironment()
    const intermediate = await mkdtemp(join(folder, 'converted-'))
    const graphDef = freezeModel(model, values, size)
    const fused = await convertToOnnx({ graphDef, folder: intermediate, target, python })
    expect(fused.classMaps).toBe(true)
    session = await ort.InferenceSession.create(target)
  })

  afterAll(() => session.release())

  it('differ from place to place and have the logits, less a constant, as their means', async () => {
    const random = new Random(6, 'parity')
    const images = Float32Array.from({ length: 2 * 3 * size * size }, () => random.normal())
    const { logits, class_maps: maps } = await session.run({
      pixel_values: new ort.Tensor('float32', images, [2, 3, size, size]),
    })
    const [batch, planes, height, width] = maps!.dims as [number, number, number, number]
    expect([batch, planes]).toEqual([2, classes])
    expect(height * width).toBeGreaterThan(1)
    const contributions = maps!.data as Float32Array
    for (let row = 0; row < 2 * classes; row++) {
      const map = contributions.subarray(row * height * width, (row + 1) * height * width)
      expect(Math.max(...map) - Math.min(...map)).toBeGreaterThan(0.01)
      const mean = map.reduce((sum, value) => sum + value, 0) / map.length
      expect(mean + constants(values)[row % classes]!).toBeCloseTo(logits!.data[row] as number, 4)
    }
  })
})
