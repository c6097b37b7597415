import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { findModel, listModels, openModel, packageModel, resolveModel } from './package.ts'
import type { Manifest } from './manifest.ts'
import { imagenetNormalization } from '../image/preprocessing.ts'

const root = await mkdtemp(join(tmpdir(), 'flowers-models-'))
afterAll(() => rm(root, { recursive: true, force: true }))

const share = { value: 0.9, low: 0.8, high: 0.95, count: 100 }
const manifest: Omit<Manifest, 'files'> = {
  format: 1,
  name: 'two',
  version: 1,
  created: '2026-01-02T03:04:05Z',
  architecture: 'convnext_atto',
  labels: ['daisy', 'rose'],
  classPrior: [0.5, 0.5],
  preprocessing: { size: 64, cropFraction: 0.875, kernel: 'bicubic', ...imagenetNormalization },
  views: [{ flip: 'none', scale: 1 }],
  viewPolicy: 'exact',
  calibration: { temperature: [1.2], conformal: null, abstention: null, fastLead: null },
  metrics: { split: 'valid', top1: share, top5: share, macroF1: share, ece: { before: 0.1, after: 0.02, bins: 15 } },
  parity: { photos: 64, maxAbsLogitDifference: 1e-5, flips: 0 },
  quantization: null,
  data: { sha256: 'a'.repeat(64), train: 10, valid: 5, seed: 1 },
  recipe: { name: 'demo' },
  versions: { node: '20.20.0' },
}
const files = { 'onnx/model.onnx': Uint8Array.of(1, 2, 3, 4), 'README.md': '# two\n' }

let folder: string
let count = 0
beforeEach(async () => {
  const models = join(root, String(count++))
  await mkdir(join(models, 'two'), { recursive: true })
  folder = join(models, 'two', '1')
})

describe('packageModel', () => {
  it('writes a folder that openModel reads back, with the Hugging Face files', async () => {
    const written = await packageModel(folder, files, manifest)
    const read = await openModel(folder)
    expect(read).toEqual(written)
    expect(read.manifest).toMatchObject(manifest)
    expect(Object.keys(read.manifest.files).sort()).toEqual([
      'README.md',
      'config.json',
      'onnx/model.onnx',
      'preprocessor_config.json',
    ])
    expect(read.manifest.files['onnx/model.onnx']).toEqual({
      sha256: '9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a',
      bytes: 4,
    })
    expect(await readFile(read.network)).toEqual(Buffer.from([1, 2, 3, 4]))
    expect(read.quantized).toBeNull()
    expect(await jsonOf('config.json')).toMatchObject({
      model_type: 'convnext',
      architectures: ['ConvNextForImageClassification'],
      id2label: { '0': 'daisy', '1': 'rose' },
      label2id: { daisy: 0, rose: 1 },
    })
    expect(await jsonOf('preprocessor_config.json')).toMatchObject({
      image_processor_type: 'ImageProcessor',
      size: { shortest_edge: 73 },
      crop_size: { height: 64, width: 64 },
      resample: 3,
      image_mean: imagenetNormalization.mean,
    })
  })

  it('copies files, and knows a quantized network', async () => {
    const source = join(root, 'q.onnx')
    await writeFile(source, 'quantized')
    const { quantized } = await packageModel(
      folder,
      { ...files, 'onnx/model_quantized.onnx': { copyOf: source } },
      manifest,
    )
    expect(await readFile(quantized!, 'utf8')).toBe('quantized')
  })

  it('keeps the groups of labels that a names.csv gives', async () => {
    const names = '\ufefflabel,de,group\r\nrose,Rose,shrub\r\noak,Eiche,tree\r\n'
    await packageModel(folder, { ...files, 'names.csv': names }, manifest)
    const read = await openModel(folder)
    expect(Object.keys(read.manifest.files)).toContain('names.csv')
    expect(read.names).toEqual({ groups: new Map([['rose', 'shrub']]), strangers: ['oak'] })
  })

  it('leaves nothing behind when it fails', async () => {
    await expect(packageModel(folder, { 'README.md': '' }, manifest)).rejects.toMatchObject({ code: 'MODEL_MANIFEST' })
    await expect(packageModel(folder, files, { ...manifest, classPrior: [1] })).rejects.toMatchObject({
      code: 'MODEL_MANIFEST',
    })
    await expect(packageModel(folder, { ...files, 'x.bin': { copyOf: join(root, 'no') } }, manifest)).rejects.toThrow(
      'ENOENT',
    )
    await expect(packageModel(folder, { ...files, 'names.csv': 'rose,shrub\n' }, manifest)).rejects.toMatchObject({
      code: 'MODEL_NAMES',
      message: `${join(folder, 'names.csv')} has no column "label" in its first line.`,
    })
    await expect(packageModel(folder, { ...files, '../x.bin': '' }, manifest)).rejects.toMatchObject({
      code: 'MODEL_MANIFEST',
    })
    expect(await readdir(join(folder, '..'))).toEqual([])
  })

  it('is made once by those who make it at the same time', async () => {
    const made = await Promise.allSettled([1, 2, 3].map(() => packageModel(folder, files, manifest)))
    expect(made.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected'])
    for (const outcome of made)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'MODEL_EXISTS' })
    expect(await readdir(join(folder, '..'))).toEqual(['1'])
  })

  it('replaces a version only when told', async () => {
    await packageModel(folder, files, manifest)
    await expect(packageModel(folder, files, manifest)).rejects.toMatchObject({ code: 'MODEL_EXISTS' })
    const changed = await packageModel(folder, { ...files, 'README.md': '# new\n' }, manifest, { replace: true })
    expect(await readFile(join(changed.folder, 'README.md'), 'utf8')).toBe('# new\n')
    expect(await readdir(join(folder, '..'))).toEqual(['1'])
  })
})

describe('openModel refuses', () => {
  const edit = async (change: (content: Record<string, unknown>) => void): Promise<void> => {
    const content = await jsonOf('manifest.json')
    change(content)
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(content))
  }

  const cases: [string, string, RegExp, () => Promise<unknown>][] = [
    ['no folder', 'MODEL_MISSING', /manifest\.json does not exist/, () => rm(folder, { recursive: true })],
    ['no manifest', 'MODEL_MISSING', /does not exist/, () => rm(join(folder, 'manifest.json'))],
    ['a manifest that is not JSON', 'MODEL_MANIFEST', /not JSON/, () => truncate(join(folder, 'manifest.json'), 30)],
    ['a missing field', 'MODEL_MANIFEST', /labels/, () => edit((content) => delete content['labels'])],
    ['an unknown field', 'MODEL_MANIFEST', /colour/, () => edit((content) => (content['colour'] = 'red'))],
    [
      'a wrong type',
      'MODEL_MANIFEST',
      /preprocessing\.size/,
      () => edit((content) => Object.assign(content['preprocessing'] as object, { size: '64' })),
    ],
    [
      'a temperature for each of other views',
      'MODEL_MANIFEST',
      /temperature/,
      () => edit((content) => Object.assign(content['calibration'] as object, { temperature: [1, 1] })),
    ],
    [
      'thresholds of sets for other views',
      'MODEL_MANIFEST',
      /conformal\.threshold: 2 for 1 views/,
      () =>
        edit((content) =>
          Object.assign(content['calibration'] as object, {
            conformal: { coverage: 0.95, threshold: [0.9, 0.9], count: 19 },
          }),
        ),
    ],
    [
      'thresholds of abstention for other views',
      'MODEL_MANIFEST',
      /abstention\.threshold: 0 for 1 views/,
      () =>
        edit((content) =>
          Object.assign(content['calibration'] as object, {
            abstention: { temperature: 2, threshold: [], falseAlarmShare: 0.05, count: 20 },
          }),
        ),
    ],
    ['a label twice', 'MODEL_MANIFEST', /twice/, () => edit((content) => (content['labels'] = ['rose', 'rose']))],
    [
      'a path out of the folder',
      'MODEL_MANIFEST',
      /files/,
      () =>
        edit((content) =>
          Object.assign(content['files'] as object, { '../../x': { sha256: 'a'.repeat(64), bytes: 1 } }),
        ),
    ],
    [
      'a network that is not listed',
      'MODEL_MANIFEST',
      /onnx\/model\.onnx/,
      () => edit((content) => delete (content['files'] as Record<string, unknown>)['onnx/model.onnx']),
    ],
    ['a format of the future', 'MODEL_FORMAT', /format 2/, () => edit((content) => (content['format'] = 2))],
    [
      'a changed file',
      'MODEL_TAMPERED',
      /model\.onnx has another sha256/,
      () => writeFile(join(folder, 'onnx/model.onnx'), Uint8Array.of(1, 2, 3, 5)),
    ],
    ['a cut file', 'MODEL_TAMPERED', /has 2 bytes/, () => truncate(join(folder, 'onnx/model.onnx'), 2)],
    ['a lost file', 'MODEL_TAMPERED', /config\.json is missing/, () => rm(join(folder, 'config.json'))],
  ]

  it.each(cases)('%s: %s', async (_name, code, detail, spoil) => {
    await packageModel(folder, files, manifest)
    await spoil()
    await expect(openModel(folder)).rejects.toMatchObject({ code, message: expect.stringMatching(detail) })
  })
})

describe('resolveModel and listModels', () => {
  it('serve the highest version, by number, of the named or the default model', async () => {
    const models = join(folder, '../..')
    for (const version of [2, 10, 9])
      await packageModel(join(models, 'two', String(version)), files, { ...manifest, version })
    await mkdir(join(models, 'two', '11'))
    await mkdir(join(models, 'two', 'old'))
    await writeFile(join(models, 'default'), 'two\n')
    expect(await listModels(models)).toEqual([{ name: 'two', versions: [2, 9, 10] }])
    const location = { name: 'two', version: 10, folder: join(models, 'two', '10') }
    expect(await resolveModel(models)).toEqual(location)
    expect(await resolveModel(models, 'two')).toEqual(location)
    await expect(resolveModel(models, 'three')).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringContaining('two'),
    })
    await expect(resolveModel(models, 'three')).rejects.toMatchObject({ message: expect.stringContaining(models) })
    expect(await findModel(models, 'two')).toEqual(location)
    await expect(findModel(models, 'three')).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: 'There is no model "three"; there are: two.',
    })
    await expect(resolveModel(models, '../two')).rejects.toMatchObject({ code: 'MODEL_MISSING' })
  })

  it('say when there is no default or no folder', async () => {
    await expect(resolveModel(join(folder, '../..'))).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    expect(await listModels(join(root, 'nowhere'))).toEqual([])
  })
})

async function jsonOf(file: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(folder, file), 'utf8')) as Record<string, unknown>
}
