import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openModel } from '@flowers/shared/model/package'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'csv-parse/sync'
import { evaluateModel } from '../evaluate/evaluate-model.ts'
import { evaluationTable } from '../evaluate/evaluation-table.ts'
import { openNetwork } from '../evaluate/network.ts'
import { predictFolder } from '../evaluate/predict-folder.ts'
import { readSafetensors, readSafetensorsHeader } from '../model/weights/safetensors.ts'
import { exportRun, type ExportResult } from './export-run.ts'
import { makeTestRun, type TestRun } from '../testing/test-run.ts'

let test: TestRun
let report: ExportResult
let model: string
const lines: string[] = []
const broken = 'train/01-daisy/broken.jpg'

beforeAll(async () => {
  test = await makeTestRun({
    architecture: 'convnext_test',
    size: 32,
    photos: { species: 12, train: 3, valid: 6 },
    broken,
    change: (recipe) => ({ ...recipe, logitAdjustment: 0.5 }),
  })
  model = join(test.folder, 'models', 'test', '3')
  const notes = join(test.folder, 'notes.md')
  await writeFile(notes, 'Drawn by a program.\n')
  report = await exportRun({ ...test, out: model, notes, log: (line) => lines.push(line) })
}, 180_000)

afterAll(() => test.remove())

describe('an exported run', () => {
  it('is a model folder that verifies', async () => {
    const { manifest } = await openModel(model)
    expect(manifest).toMatchObject({
      name: 'test',
      version: 3,
      architecture: 'convnext_test',
      viewPolicy: 'exact',
      preprocessing: { size: 32, kernel: 'bicubic' },
      data: { train: 36, valid: 72, seed: 1, excluded: [broken] },
      recipe: { name: 'test', model: { architecture: 'convnext_test' } },
      metrics: { split: 'valid', top1: { count: 72 }, ece: { bins: 15 } },
      logitAdjustment: { tau: 0.5, prior: new Array(12).fill(1 / 12) as number[] },
      quantization: null,
    })
    expect(Object.keys(manifest.versions)).toEqual(
      expect.arrayContaining(['flowers', 'node', 'tensorflow', 'tf2onnx', 'onnxruntime', 'sharp', 'libvips']),
    )
    expect(Object.keys(manifest.files).toSorted()).toEqual([
      'README.md',
      'config.json',
      'onnx/model.onnx',
      'preprocessor_config.json',
      'weights.safetensors',
    ])
    expect(await readdir(join(test.folder, 'models', 'test'))).toEqual(['3'])
  })

  it('has the weights as they were trained, for the labels of the run', async () => {
    const file = join(model, 'weights.safetensors')
    expect(await readSafetensors(file)).toEqual(await readSafetensors(join(test.run, 'checkpoints/best.safetensors')))
    expect((await readSafetensorsHeader(file)).metadata).toEqual({ labels: JSON.stringify(report.manifest.labels) })
  })

  it('has one node for each normalisation and GELU', () => {
    // Stem, 3 downsamplings, 4 blocks, head; GELUs of 4 blocks and the head.
    expect(report.fused.operators).toMatchObject({ LayerNormalization: 9, Gelu: 5, Conv: 8, Gemm: 10, Add: 4 })
  })

  it('was held against the trainer on all of its validation photos', () => {
    expect(report.manifest.parity).toMatchObject({ photos: 72, flips: report.parity.flips.length })
    expect(report.manifest.parity.maxAbsLogitDifference).toBeGreaterThan(0)
    expect(report.manifest.parity.maxAbsLogitDifference).toBeLessThan(1e-4)
    expect(lines.join('\n')).toMatch(/parity gate: 72 validation photos, logits differ by \S+ at most, 0 labels change/)
  })

  it('has a card with the front matter of the hub', async () => {
    const card = await readFile(join(model, 'README.md'), 'utf8')
    expect(card).toMatch(/^---\npipeline_tag: image-classification\n/)
    expect(card).toContain(`value: ${report.manifest.metrics.top1.value.toFixed(4)}`)
    for (const heading of [
      'Use',
      'Data',
      'Accuracy',
      'Calibration',
      'Training',
      'Export',
      'Limits',
      'Notes',
      'By class',
    ]) {
      expect(card).toContain(`\n## ${heading}\n`)
    }
    for (const label of report.manifest.labels) expect(card).toMatch(new RegExp(`\\n\\| ${label} +\\| [0-9.]+ %`))
    expect(card).toContain('\n## Notes\n\nDrawn by a program.\n\n')
    expect(card).toContain('Logit adjustment: 0.5 times the log of the class prior')
    expect(card).not.toMatch(/undefined|NaN|\[object/)
  })

  it('scores as it scored when it was exported', async () => {
    const evaluation = await evaluateModel({ model, data: test.data, split: 'valid', views: 'exact' })
    const { top1, top5, macroF1 } = report.manifest.metrics
    expect(evaluation).toMatchObject({
      top1,
      top5,
      macroF1,
      data: { asTrained: true, excluded: 1, photos: 72, unreadable: [] },
    })
    expect(evaluation.views.used.reduce((a, b) => a + b)).toBe(72)
    expect(evaluation.views.disagreement).toBe(0)
    expect(evaluation.byViews).toHaveLength(6)
    expect(evaluation.byViews[5]!.top1).toBe(evaluation.top1.value)
    const table = evaluationTable(evaluation)
    expect(table).toMatch(/top-1 .*%.*\n.*top-5/)
    expect(table).toMatch(
      /\(one view at a time, median of 24 photos\):\n {2}1: upright, scale 1 .* % .* \d+\.\d ms\n {2}2: /,
    )
    expect(table).toContain('The photo that the run left out is left out here as well.')
  })

  it('with one view scores the first view', async () => {
    const evaluation = await evaluateModel({ model, data: test.data, split: 'valid', views: 'none' })
    expect(evaluation.views).toMatchObject({ of: 1, meanUsed: 1, used: [72], disagreement: null })
    expect(evaluation.byViews).toEqual([
      { views: 1, flip: 'none', scale: 1, top1: evaluation.top1.value, milliseconds: expect.any(Number) as number },
    ])
    expect(evaluation.timedPhotos).toBe(24)
  })

  it('refuses photos of a class that it does not have', async () => {
    const csv = join(test.folder, 'other.csv')
    const photos = (await readdir(join(test.data, 'valid'), { recursive: true }))
      .filter((name) => name.endsWith('.jpg'))
      .slice(0, 4)
    const [fern, fernValid, moss, mossValid] = photos.map((photo) => `flowers/valid/${photo}`)
    await writeFile(
      csv,
      `path,label,split\n${fern},fern,train\n${fernValid},fern,valid\n${moss},moss,train\n${mossValid},moss,valid\n`,
    )
    await expect(evaluateModel({ model, data: csv, split: 'valid', views: 'full' })).rejects.toMatchObject({
      code: 'EVALUATE_LABELS',
      message: expect.stringContaining('"fern"') as string,
    })
  })

  it('labels a folder in order of path, and lists what it cannot read', async () => {
    const input = join(test.data, 'valid')
    await writeFile(join(input, 'broken.jpg'), 'no photo')
    await writeFile(join(input, '.hidden'), 'left out')
    const out = join(input, 'results.csv')
    // Its own files of an earlier time are no photos.
    await writeFile(out, 'path,label,confidence\n')
    await writeFile(`${out}.errors.csv`, 'path,reason\n')
    const { written, unreadable } = await predictFolder({ model, input, out })
    expect(written).toBe(72)
    expect(unreadable).toEqual([{ path: 'broken.jpg', reason: expect.stringContaining('not a picture') as string }])
    const rows = parse<{ path: string; label: string; confidence: string }>(await readFile(out), { columns: true })
    expect(rows.map(({ path }) => path)).toEqual(rows.map(({ path }) => path).toSorted())
    expect(Object.keys(rows[0]!)).toEqual(['path', 'label', 'confidence'])
    for (const { confidence } of rows) expect(Number(confidence)).toBeGreaterThan(1 / 13)
    const right = rows.filter(({ path, label }) => path.split('/')[0]!.slice(3) === label).length
    expect(right / 72).toBeCloseTo(report.manifest.metrics.top1.value, 10)
    expect(await readFile(`${out}.errors.csv`, 'utf8')).toMatch(/^path,reason\nbroken\.jpg,/)
  })
})

describe('an export that fails', () => {
  const out = (): string => join(test.folder, 'models', 'broken', '1')
  const modelsLeft = async (): Promise<string[]> => readdir(join(test.folder, 'models', 'broken')).catch(() => [])

  it('leaves nothing when a logit differs', async () => {
    const open: typeof openNetwork = async (path, size) => {
      const network = await openNetwork(path, size)
      let photos = 0
      return {
        ...network,
        run: async (images, count) => {
          const rows = await network.run(images, count)
          if (++photos === 30) rows[0]![4]! += 0.002
          return rows
        },
      }
    }
    await expect(exportRun({ ...test, out: out(), open })).rejects.toMatchObject({ code: 'EXPORT_PARITY' })
    expect(await modelsLeft()).toEqual([])
  }, 180_000)

  it.each([
    ['a folder that exists', () => ({ out: model }), 'MODEL_EXISTS'],
    ['a place without a version', () => ({ out: join(test.folder, 'models', 'test') }), 'EXPORT_TARGET'],
    ['a folder without a run', () => ({ run: test.data }), 'TRAIN_RUN_MISSING'],
    ['other photos', () => ({ data: join(test.data, 'train') }), 'TRAIN_DATA_CHANGED'],
  ])('refuses %s', async (_, change, code) => {
    await expect(exportRun({ ...test, out: out(), ...change() })).rejects.toMatchObject({ code })
    expect(await modelsLeft()).toEqual([])
  })
})
