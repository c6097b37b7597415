import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { openNetwork } from '../evaluate/network.ts'
import { convnext } from '../model/convnext.ts'
import { initialize } from '../model/init.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { ensurePythonEnvironment } from '@flowers/tensorflow/python'
import { convertToOnnx } from './convert.ts'
import { freezeModel } from './freeze-model.ts'
import { openReference } from './reference.ts'

const size = 32
const model = convnext({ name: 'tiny', depths: [1, 1], dims: [8, 12], mlpKind: 'linear', stochasticDepth: 0 }).build({
  classes: 3,
  head: { kind: 'mlp', hidden: 8, dropout: 0 },
  stochasticDepth: 0,
  layerScale: 0.1,
})

let folder: string

beforeAll(async () => {
  await startTensorflow()
  folder = await mkdtemp(join(tmpdir(), 'flowers-untrained-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

it.each([
  ['exactly one and zero', 0],
  ['next to one and zero', 4e-6],
])('fuses normalisations whose scale and shift are %s, which optimisers leave out', async (_, moved) => {
  const random = new Random(2, 'parameters')
  const values = new Map(
    [...initialize(model, 5)].map(([name, array]) => [
      name,
      name.includes('norm') || name.startsWith('stem.1')
        ? array.map((value) => value + moved * random.normal())
        : array,
    ]),
  )
  const target = join(folder, `${moved}.onnx`)
  const { python } = await ensurePythonEnvironment()
  const fused = await convertToOnnx({ graphDef: freezeModel(model, values, size), folder, target, python })
  // Stem, downsampling, two blocks, head.
  expect(fused.operators).toMatchObject({ LayerNormalization: 5, Gelu: 3 })

  const network = await openNetwork(target, size)
  const reference = openReference(model, values, size)
  try {
    const image = Float32Array.from({ length: 3 * size * size }, () => random.normal())
    const [row] = await network.run(image, 1)
    const expected = await reference.logits(image)
    expected.forEach((value, index) => expect(row!.logits[index]).toBeCloseTo(value, 4))
  } finally {
    reference.dispose()
    await network.release()
  }
})
