import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ort from 'onnxruntime-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { convnext } from '../model/convnext.ts'
import { Random } from '../random.ts'
import { startTensorflow } from '../tensorflow/index.ts'
import { ensurePythonEnvironment } from '../tensorflow/python.ts'
import { convertToOnnx } from './convert.ts'
import { freezeModel } from './freeze-model.ts'
import { livelyWeights } from './test-run.ts'

// Ends in pooling, a normalisation and a linear layer.
const size = 64
const classes = 3
const model = convnext({ name: 'tiny', depths: [1, 1], dims: [8, 12], mlpKind: 'linear', stochasticDepth: 0 }).build({
  classes,
  head: { kind: 'linear' },
  stochasticDepth: 0,
  layerScale: 0.1,
})
const values = livelyWeights(model, 4)

/** What the logits have besides the means of their maps: the bias, and the last weights times the normalisation's shift. */
const constants = Array.from(values.get('head.fc.bias')!, (bias, index) => {
  const weights = values.get('head.fc.weight')!
  const added = Array.from(
    values.get('head.norm.bias')!,
    (shift, channel) => shift * weights[channel * classes + index]!,
  )
  return added.reduce((sum, value) => sum + value, bias)
})

let folder: string
let session: ort.InferenceSession

beforeAll(async () => {
  await startTensorflow()
  folder = await mkdtemp(join(tmpdir(), 'flowers-class-maps-'))
  const target = join(folder, 'model.onnx')
  const { python } = await ensurePythonEnvironment()
  await convertToOnnx({ graphDef: freezeModel(model, values, size), folder, target, python })
  session = await ort.InferenceSession.create(target)
}, 180_000)

afterAll(async () => {
  await session.release()
  await rm(folder, { recursive: true })
})

it('differ from place to place and have the logits, less a constant, as their means', async () => {
  const random = new Random(6, 'parity')
  const images = Float32Array.from({ length: 2 * 3 * size * size }, () => random.normal())
  const { logits, class_maps: maps } = await session.run({
    pixel_values: new ort.Tensor('float32', images, [2, 3, size, size]),
  })
  expect(maps!.dims).toEqual([2, classes, 8, 8])
  const contributions = maps!.data as Float32Array
  for (let row = 0; row < 2 * classes; row++) {
    const map = contributions.subarray(row * 64, (row + 1) * 64)
    expect(Math.max(...map) - Math.min(...map)).toBeGreaterThan(0.1)
    const mean = map.reduce((sum, value) => sum + value, 0) / map.length
    expect(mean + constants[row % classes]!).toBeCloseTo(logits!.data[row] as number, 4)
  }
})
