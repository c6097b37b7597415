import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildApp } from '@flowers/serve/app'
import { readConfig } from '@flowers/serve/config'
import { predictFolder } from '@flowers/trainer/evaluate/predict-folder'
import { exportRun, type ExportResult } from '@flowers/trainer/export/export-run'
import { makeTestRun, type TestRun } from '@flowers/trainer/testing/test-run'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** ConvNeXt-Base at 576 px, random weights: the size that the recipe `report` ends with. */
describe('ConvNeXt-Base at 576 px', () => {
  let test: TestRun
  let report: ExportResult

  beforeAll(async () => {
    test = await makeTestRun({
      architecture: 'convnext_base',
      size: 576,
      photos: { species: 3, train: 1, valid: 1 },
      change: (recipe) => ({ ...recipe, views: recipe.views.slice(0, 2) }),
    })
    report = await exportRun({ ...test, out: join(test.folder, 'models', 'base', '1'), log: console.log })
  }, 30 * 60_000)

  afterAll(() => test.remove())

  it('agrees with the trainer', () => {
    expect(report.parity.photos).toBe(6)
    expect(report.parity.maxAbsLogitDifference).toBeLessThan(1e-3)
    expect(report.parity.maxAbsLogitDifference).toBeGreaterThan(0)
  })

  it('has one node for each normalisation and GELU', () => {
    expect(report.manifest.files['onnx/model.onnx']!.bytes).toBeGreaterThan(340e6)
    expect(report.fused.operators).toMatchObject({ LayerNormalization: 41, Gelu: 37, Conv: 40, Gemm: 74, Add: 36 })
  })

  it('labels a folder, and is served with the same labels', async () => {
    const out = join(test.folder, 'results.csv')
    const input = join(test.data, 'valid')
    expect(await predictFolder({ model: report.folder, input, out })).toMatchObject({ written: 3, unreadable: [] })
    const [path, label, confidence] = (await readFile(out, 'utf8')).split('\n')[2]!.split(',')

    const environment = { MODELS_DIR: join(test.folder, 'models'), MODEL: 'base', FLOWERS_LOG_LEVEL: 'silent' }
    const { app, engine } = await buildApp(readConfig([], environment)!)
    const headers = { 'content-type': 'image/jpeg', 'x-request-timeout-ms': '60000' }
    const payload = await readFile(join(input, path!))
    const ask = (url: string) => app.inject({ method: 'POST', url, headers, payload })
    await engine.start()
    try {
      const response = await ask('/classify?top_k=2')
      expect(response.statusCode).toBe(200)
      const answer = response.json<{ predictions: { label: string; score: number }[]; views: unknown }>()
      expect(answer.views).toMatchObject({ of: 2, policy: 'exact' })
      expect(answer.predictions).toHaveLength(2)
      expect(answer.predictions[0]!.label).toBe(label)
      expect(answer.predictions[0]!.score).toBeCloseTo(Number(confidence), 4)

      // Its head has a hidden layer.
      const looked = await ask('/explain')
      expect(looked.statusCode).toBe(200)
      expect(looked.json()).toMatchObject({ height: 18, width: 18 })
    } finally {
      await app.close()
    }
  })
})
