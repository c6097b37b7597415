import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Manifest } from '@flowers/shared/model/manifest'
import { openModel } from '@flowers/shared/model/package'
import { softmax } from '@flowers/shared/model/views'
import ort from 'onnxruntime-node'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDataset } from '../dataset/dataset.ts'
import { Random } from '@flowers/shared/random'
import { calibrateModel } from './calibrate-model.ts'

const tiny = fileURLToPath(new URL('../../../serve/fixtures/models/tiny/1', import.meta.url))
const colours = { red: [220, 40, 40], green: [40, 200, 40], blue: [40, 40, 220], yellow: [210, 210, 40] }

let folder: string
let data: string
let model: string

/** Squares of about the colours that the network names, some so pale that it errs. */
async function drawColours(target: string, count: number): Promise<void> {
  const random = new Random(1, 'calibration')
  for (const [label, colour] of Object.entries(colours)) {
    await mkdir(join(target, label), { recursive: true })
    for (let photo = 0; photo < count; photo++) {
      const [r, g, b] = colour.map((value) => Math.max(0, Math.min(255, Math.round(value + 70 * random.normal()))))
      const background = { r: r!, g: g!, b: b! }
      const picture = sharp({ create: { width: 40, height: 40, channels: 3, background } })
      await picture.png().toFile(join(target, label, `${photo}.png`))
    }
  }
}

/** Squares without a colour. */
async function drawGreys(target: string, count: number): Promise<void> {
  await mkdir(target, { recursive: true })
  for (let photo = 0; photo < count; photo++) {
    const level = 60 + Math.round((140 * photo) / count)
    const background = { r: level, g: level, b: level }
    await sharp({ create: { width: 40, height: 40, channels: 3, background } })
      .png()
      .toFile(join(target, `${photo}.png`))
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-calibrate-'))
  data = join(folder, 'colours')
  await drawColours(join(data, 'train'), 6)
  await drawColours(join(data, 'valid'), 55)
})
beforeEach(async () => {
  model = join(folder, 'models', 'tiny', '1')
  await rm(model, { recursive: true, force: true })
  await cp(tiny, model, { recursive: true })
})
afterAll(() => rm(folder, { recursive: true }))

const bytesOf = (file: string): Promise<string> => readFile(join(model, file), 'utf8')

describe('calibrateModel', () => {
  it('writes what it fits and measures into manifest and card, and keeps the rest', async () => {
    const { manifest: before } = await openModel(model)
    const { section } = await calibrateModel({ model, data, each: 2 })
    const { manifest } = await openModel(model)
    const { calibration, metrics, files, ...rest } = manifest
    const { calibration: _, metrics: oldMetrics, files: oldFiles, ...oldRest } = before
    expect(rest).toEqual(oldRest)
    for (const file of ['config.json', 'preprocessor_config.json']) expect(files[file]).toEqual(oldFiles[file])
    expect(metrics).toMatchObject({
      top1: oldMetrics.top1,
      refusals: { own: { count: 110 }, drawn: { count: 24 }, ece: null },
    })
    expect(metrics.refusals?.others).toEqual({})
    expect(calibration.temperature).not.toEqual(before.calibration.temperature)
    // Of 110 photos a few are refused.
    expect(calibration.conformal).toMatchObject({ coverage: 0.95, count: 106 })
    expect(calibration.conformal?.threshold).toHaveLength(6)
    expect(calibration.known).toMatchObject({ form: 'nearest', refusedShare: 0.05, count: 110, isCalibrated: false })
    expect(calibration.abstention).toBeUndefined()
    const card = await bytesOf('README.md')
    expect(card).toContain(`\n\n${section}\n`)
    expect(section).toMatch(/Fitted on 110 of 220 validation photos .* measured on the other 110/)
    expect(section).toMatch(/\n\| `none` +\| 1\.00 +\| \S+ % \(.*\) +\|/)
    expect(section).toMatch(/\n\| drawn pictures without a flower +\| \S+ % \(\S+ % to \S+ %\) +\| 24 +\|/)
    expect(section).toContain('holds a picture against feature vectors of training photos: 5 of each class')
    expect(section).not.toMatch(/undefined|NaN|\[object/)
    expect(await readdir(join(folder, 'models', 'tiny'))).toEqual(['1'])
  }, 60_000)

  it('refuses what photos of others are like, as an output of the network', async () => {
    const others = join(folder, 'not-ours')
    await drawGreys(join(others, 'things'), 60)
    await calibrateModel({ model, data, others, refusedShare: 0.1, each: 1 })
    const { manifest, network } = await openModel(model)
    const { calibration, metrics } = manifest
    expect(calibration.known).toMatchObject({ form: 'trained', refusedShare: 0.1 })
    expect(calibration.known!.isCalibrated).toBe(metrics.refusals!.ece! <= 0.05)
    expect(metrics.refusals!.others['things']).toMatchObject({ count: 60 })
    expect(metrics.refusals!.others['things']!.value).toBeGreaterThan(0.5)
    expect(metrics.refusals!.own.value).toBeLessThan(0.2)
    const session = await ort.InferenceSession.create(network)
    expect(session.outputNames).toEqual(['logits', 'class_maps', 'probabilities', 'known'])
    // Red, and the grey between black and white.
    const pixels = Float32Array.from({ length: 2 * 3 * 32 * 32 }, (_, place) =>
      place >= 3 * 32 * 32 ? 0 : place < 32 * 32 ? 1.5 : -1.5,
    )
    const found = await session.run({ pixel_values: new ort.Tensor('float32', pixels, [2, 3, 32, 32]) })
    await session.release()
    const [red, grey] = found['known']!.data as Float32Array
    expect(red).toBeGreaterThan(calibration.known!.threshold)
    expect(grey).toBeLessThan(calibration.known!.threshold)
    const logits = [...(found['logits']!.data as Float32Array)].slice(0, 4)
    const expected = softmax(logits.map((logit) => logit / calibration.temperature![0]!))
    for (const [index, value] of expected.entries()) expect(found['probabilities']!.data[index]).toBeCloseTo(value, 5)
    // A later calibration without others goes back to what it can, with the share that was asked for before.
    const again = await calibrateModel({ model, data, each: 1 })
    expect(again.manifest.calibration.known).toMatchObject({ form: 'nearest', refusedShare: 0.1 })
    // Photos that cannot make it refuse do not make it name everything.
    const few = join(folder, 'too-few')
    await drawColours(join(few, 'train'), 1)
    await drawColours(join(few, 'valid'), 4)
    await expect(calibrateModel({ model, data: few })).rejects.toMatchObject({ code: 'CALIBRATE_FEWER' })
  }, 60_000)

  it('gives the same again', async () => {
    await calibrateModel({ model, data, each: 1 })
    const [manifest, card] = await Promise.all([bytesOf('manifest.json'), bytesOf('README.md')])
    await calibrateModel({ model, data, each: 1 })
    expect(await bytesOf('manifest.json')).toBe(manifest)
    expect(await bytesOf('README.md')).toBe(card)
  }, 60_000)

  it('leaves out what the run left out, and keeps saying so', async () => {
    const less = join(folder, 'less')
    await drawColours(join(less, 'train'), 1)
    await drawColours(join(less, 'valid'), 4)
    const before = await openDataset(less, { seed: 1 })
    await writeFile(join(less, 'valid', 'red', 'broken.png'), 'no photo')
    const file = join(model, 'manifest.json')
    const manifest = JSON.parse(await readFile(file, 'utf8')) as Manifest
    const data = { ...manifest.data, sha256: before.sha256, excluded: ['valid/red/broken.png'] }
    await writeFile(file, JSON.stringify({ ...manifest, data }))
    const { excluded, section, manifest: written } = await calibrateModel({ model, data: less, each: 1 })
    expect(excluded).toBe(1)
    expect(section).toContain('Not fitted: 16 validation photos are too few')
    expect(written.data).toEqual(data)
  }, 60_000)

  it('says what few photos do not support', async () => {
    const few = join(folder, 'few')
    await drawColours(join(few, 'train'), 1)
    await drawColours(join(few, 'valid'), 4)
    const { manifest, section } = await calibrateModel({ model, data: few })
    expect(manifest.calibration).toEqual({ temperature: null, conformal: null, known: null, fastLead: null })
    expect(manifest.metrics).toMatchObject({ ece: null })
    expect(manifest.metrics.nonFlowers).toBeUndefined()
    expect(manifest.metrics.refusals).toBeUndefined()
    expect(section).toContain('Nothing is refused: every picture gets one of the labels')
    expect(section).toContain('Not fitted: 16 photos are too few; 200 that the model has not learnt from would do.')
    expect(section).not.toMatch(/temperature|calibration error|promised/i)
  }, 60_000)

  it('refuses other classes, photos that cannot be read and what is no model, and changes nothing', async () => {
    const other = join(folder, 'other')
    await drawColours(join(other, 'train'), 1)
    await drawColours(join(other, 'valid'), 1)
    await cp(join(other, 'train', 'red'), join(other, 'train', 'pink'), { recursive: true })
    const broken = join(folder, 'broken')
    await cp(other, broken, { recursive: true })
    await rm(join(broken, 'train', 'pink'), { recursive: true })
    await writeFile(join(broken, 'valid', 'red', '0.png'), 'no photo')
    await cp(join(other, 'valid', 'red'), join(other, 'valid', 'pink'), { recursive: true })
    const manifest = await bytesOf('manifest.json')
    await expect(calibrateModel({ model, data: other })).rejects.toMatchObject({ code: 'EVALUATE_LABELS' })
    await expect(calibrateModel({ model, data: broken })).rejects.toMatchObject({ code: 'DATA_IMAGE_LOST' })
    await expect(calibrateModel({ model: folder, data })).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    expect(await bytesOf('manifest.json')).toBe(manifest)
    expect(await readdir(join(folder, 'models', 'tiny'))).toEqual(['1'])
  }, 60_000)
})
