import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { openNetwork, type Network } from '../evaluate/network.ts'
import { convnext } from '../model/convnext.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { ensurePythonEnvironment } from '@flowers/tensorflow/python'
import { convertToOnnx, type Fused } from './convert.ts'
import { freezeModel } from './freeze-model.ts'
import { openReference, type Reference } from './reference.ts'
import { livelyWeights } from '../testing/test-run.ts'

const size = 48
const tiny = convnext({ name: 'tiny', depths: [1, 2, 1], dims: [8, 12, 16], mlpKind: 'linear', stochasticDepth: 0.1 })
const model = tiny.build({
  classes: 5,
  head: { kind: 'mlp', hidden: 24, dropout: 0.2 },
  stochasticDepth: 0.1,
  layerScale: 1e-6,
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

const images = (count: number): Float32Array => {
  const random = new Random(9, 'parity')
  return Float32Array.from({ length: count * 3 * size * size }, () => random.normal())
}

describe('the fused graph', () => {
  it('has one node for each normalisation and GELU, and nothing but what a ConvNeXt is made of', () => {
    // 1 stem, 2 downsamplings, 4 blocks, 1 head; GELUs of 4 blocks and the head; 1 + 2 patch and 4 depthwise convolutions.
    expect(fused).toEqual({
      opset: 20,
      classMaps: true,
      operators: {
        Conv: 7,
        LayerNormalization: 8,
        Gemm: 10,
        Gelu: 5,
        Add: 4,
        ReduceMean: 1,
        Reshape: expect.any(Number) as number,
        Transpose: expect.any(Number) as number,
      },
    })
  })

  it('is free of LayerScale', () => {
    expect(fused.operators).not.toHaveProperty('Mul')
  })
})

describe.each([1, 3])('a batch of %d', (count) => {
  it("gives the trainer's logits", async () => {
    const batch = images(count)
    const rows = await network.run(batch, count)
    expect(rows).toHaveLength(count)
    for (const [index, row] of rows.entries()) {
      const expected = await reference.logits(batch.slice(index * 3 * size * size, (index + 1) * 3 * size * size))
      expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.2)
      for (const [place, logit] of row.logits.entries()) expect(Math.abs(logit - expected[place]!)).toBeLessThan(1e-5)
    }
  })
})
