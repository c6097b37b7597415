import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ort from 'onnxruntime-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { openNetwork, type Network } from '../evaluate/network.ts'
import { efficientnetLite } from '../model/efficientnet-lite.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { ensurePythonEnvironment } from '@flowers/tensorflow/python'
import { convertToOnnx, type Fused } from './convert.ts'
import { freezeModel } from './freeze-model.ts'
import { openReference, type Reference } from './reference.ts'
import { livelyWeights } from '../testing/test-run.ts'

// Halved five times with an odd side among them: strides pad more below and to the right.
const size = 56
const model = efficientnetLite({ name: 'narrow', width: 0.25, depth: 0.4, dropout: 0.2 }).build({
  classes: 5,
  head: { kind: 'linear' },
  stochasticDepth: 0.2,
  layerScale: 0,
})
const values = livelyWeights(model, 3)
let folder: string
let fused: Fused
let network: Network
let reference: Reference

beforeAll(async () => {
  await startTensorflow()
  const { python } = await ensurePythonEnvironment()
  folder = await mkdtemp(join(tmpdir(), 'flowers-convert-'))
  const target = join(folder, 'model.onnx')
  fused = await convertToOnnx({ graphDef: freezeModel(model, values, size), folder, target, python })
  network = await openNetwork(target, size)
  reference = openReference(model, values, size)
}, 180_000)

afterAll(async () => {
  reference.dispose()
  await network.release()
  await rm(folder, { recursive: true })
})

it('leaves convolutions with a bias, ReLU6 and residual sums of an EfficientNet-Lite, and no normalisation', () => {
  // Stem, head, the two layers of the first block and three of each of the nine others; no ReLU6 after a block's last.
  expect(fused.classMaps).toBe(true)
  expect(fused.operators).toMatchObject({ Conv: 31, Clip: 21, Add: 3, Gemm: 1 })
  for (const name of ['BatchNormalization', 'Mul', 'Sub', 'Sqrt', 'Pad'])
    expect(fused.operators).not.toHaveProperty(name)
})

it.each([1, 3])("gives the trainer's logits for a batch of %d", async (count) => {
  const random = new Random(9, 'parity')
  const batch = Float32Array.from({ length: count * 3 * size * size }, () => random.normal())
  for (const [index, row] of (await network.run(batch, count)).entries()) {
    const expected = await reference.logits(batch.slice(index * 3 * size * size, (index + 1) * 3 * size * size))
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.2)
    for (const [place, logit] of row.logits.entries()) expect(Math.abs(logit - expected[place]!)).toBeLessThan(1e-4)
  }
})

it('has class maps whose means are the logits without the bias', async () => {
  const session = await ort.InferenceSession.create(join(folder, 'model.onnx'))
  const random = new Random(10, 'parity')
  const image = Float32Array.from({ length: 3 * size * size }, () => random.normal())
  const { logits, class_maps: maps } = await session.run({
    pixel_values: new ort.Tensor('float32', image, [1, 3, size, size]),
  })
  expect(maps!.dims).toEqual([1, 5, 2, 2])
  values.get('classifier.bias')!.forEach((bias, index) => {
    const map = (maps!.data as Float32Array).subarray(4 * index, 4 * index + 4)
    expect(map.reduce((sum, value) => sum + value, 0) / 4 + bias).toBeCloseTo(logits!.data[index] as number, 4)
  })
  await session.release()
})
