import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openModel, resolveModel, type ModelPackage } from '@flowers/shared/model/package'
import { toTensor } from '@flowers/shared/image/canvas'
import { decodeCenter, shortestEdge } from '@flowers/shared/image/preprocess'
import { argmax, softmax } from '@flowers/shared/model/views'
import { drawFlower, drawnSpecies } from '@flowers/trainer/drawn/drawn-flowers'
import { env, pipeline, RawImage } from '@huggingface/transformers'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import sharp from 'sharp'
import { afterAll, describe, expect, it } from 'vitest'
import { packageTemplateModel, templateLabels } from './template-model.ts'

const temporary = await mkdtemp(join(tmpdir(), 'flowers-pipeline-'))
afterAll(() => rm(temporary, { recursive: true, force: true }))

const template = await packageTemplateModel(temporary)
const { abstention: _, ...calibration } = template.manifest.calibration
const known = { form: 'trained', threshold: 0.5, refusedShare: 0.05, count: 32, isCalibrated: true } as const
const wary = await packageTemplateModel(temporary, { name: 'wary', calibration: { ...calibration, known } })
const shipped = await shippedModel()

describe('transformers.js', () => {
  it('runs on the one onnxruntime-node of this process', () => {
    const here = createRequire(import.meta.url)
    const there = createRequire(here.resolve('@huggingface/transformers'))
    expect(there.resolve('onnxruntime-node')).toBe(here.resolve('onnxruntime-node'))
  })

  it('names what the pictures show', async () => {
    const classify = await pipelineOf(template)
    for (const [index, label] of templateLabels.entries()) {
      const [best] = await classify(await RawImage.fromBlob(new Blob([await templatePicture(index)])))
      expect(best?.label).toBe(label)
    }
  })

  it('agrees with our preprocessing on pictures of any size', async () => {
    const classify = await pipelineOf(template)
    const own = await ownClassifier(template)
    for (const [index, label] of templateLabels.entries()) {
      const bytes = await templatePicture(index, 150 + 20 * index, 230 - 15 * index)
      const [best] = await classify(await RawImage.fromBlob(new Blob([bytes])))
      expect(best?.label).toBe(label)
      expect((await own(bytes)).label).toBe(label)
    }
  })
})

const models: [string, ModelPackage | null][] = [
  ['the template model', template],
  ['the template model with the output known', wary],
  ['the shipped model', shipped],
]

describe.each(models)('%s loads in a transformers.js pipeline', (name, model) => {
  it.skipIf(!model)(
    `and agrees with our preprocessing on drawn flowers${model ? '' : ` (skipped: there is no ${name})`}`,
    async () => {
      if (!model) return
      const classify = await pipelineOf(model)
      const own = await ownClassifier(model)
      const seen = new Set<string>()
      for (const [index, species] of drawnSpecies.entries()) {
        const bytes = await flower(model, species, index)
        const theirs = await classify(await RawImage.fromBlob(new Blob([bytes])), {
          top_k: model.manifest.labels.length,
        })
        const ours = await own(bytes)
        expect(theirs[0]?.label).toBe(ours.label)
        for (const { label, score } of theirs) {
          expect(Math.abs(score - ours.probabilities[model.manifest.labels.indexOf(label)]!)).toBeLessThan(1e-3)
        }
        seen.add(ours.label)
      }
      expect(seen.size).toBeGreaterThan(1)
    },
  )
})

/**
 * A drawn flower, wider or higher than the model's input, whose shortest edge already has the length that both resize
 * to: the two enlarge and reduce differently, all else must be the same.
 */
async function flower({ manifest }: ModelPackage, species: string, index: number): Promise<Uint8Array> {
  const short = shortestEdge(manifest.preprocessing, 1)
  const size = Math.max(96, short + 2 * Math.ceil(short / 8))
  const long = short + 2 * Math.ceil(short / 8)
  const [width, height] = index % 2 ? [short, long] : [long, short]
  const region = { left: Math.floor((size - width) / 2), top: Math.floor((size - height) / 2), width, height }
  return sharp(await drawFlower({ species, size, seed: 5, index }))
    .extract(region)
    .png()
    .toBuffer()
}

/** A picture of the template's label: a colour, grey, or one half brighter. */
async function templatePicture(index: number, width = 52, height = 40): Promise<Uint8Array> {
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const halves = [x < width / 2, x >= width / 2, y < height / 2, y >= height / 2]
      const bright = index < 4 ? 128 : halves[index - 4] ? 230 : 40
      for (let channel = 0; channel < 3; channel++) {
        pixels[(y * width + x) * 3 + channel] = index < 3 ? (channel === index ? 230 : 30) : bright
      }
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
}

async function pipelineOf(model: ModelPackage) {
  const root = dirname(dirname(model.folder))
  env.allowRemoteModels = false
  env.localModelPath = root
  return pipeline('image-classification', relative(root, model.folder), { dtype: 'fp32', device: 'cpu' })
}

async function ownClassifier({ network, manifest }: ModelPackage) {
  const session = await InferenceSession.create(network)
  const { preprocessing, labels } = manifest
  const { size } = preprocessing
  return async (bytes: Uint8Array) => {
    const values = new Float32Array(3 * size * size)
    toTensor(await decodeCenter(bytes, preprocessing), 'none', preprocessing, values)
    const { logits } = await session.run({ pixel_values: new Tensor('float32', values, [1, 3, size, size]) })
    const probabilities = softmax(logits!.data as Float32Array)
    return { label: labels[argmax(probabilities)]!, probabilities }
  }
}

async function shippedModel(): Promise<ModelPackage | null> {
  const folder = fileURLToPath(new URL('../models', import.meta.url))
  return resolveModel(folder).then(
    (location) => openModel(location.folder),
    () => null,
  )
}
