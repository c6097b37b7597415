import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startService } from '@flowers/serve/testing/service'
import { openModel } from '@flowers/shared/model/package'
import { drawFlowers } from '@flowers/trainer/drawn/drawn-flowers'
import { oddNames } from '@flowers/trainer/testing/odd-names'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runTrainer } from './trainer-process.ts'

const names = oddNames.slice(0, 16)
const labels = names.toSorted()
const model = join('models', 'odd', '1')

let folder: string
const at = (...path: string[]): string => join(folder, ...path)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-names-'))
  await drawFlowers(at('flowers'), { species: 16, train: 2, valid: 1, size: 32, seed: 8 })
  const photos = (await readdir(at('flowers'), { recursive: true })).filter((name) => name.endsWith('.jpg')).toSorted()
  const folders = [...new Set(photos.map((photo) => photo.split('/')[1]!))]
  const rows = photos.map((photo) => {
    const [split, own] = photo.split('/')
    return `flowers/${photo},"${names[folders.indexOf(own!)]!.replaceAll('"', '""')}",${split}`
  })
  await writeFile(at('names.csv'), `path,label,split\n${rows.join('\n')}\n`)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('classes of odd names', () => {
  it('are trained, and those that are nearly the same are said', async () => {
    const settings = [
      'model.architecture=convnext_test',
      'phases.head.epochs=0',
      'phases.full.epochs=1',
      'phases.full.size=32',
      'phases.full.batch=16',
      'phases.fixres.epochs=0',
    ].flatMap((setting) => ['--set', setting])
    const { code, output } = await runTrainer(
      ['train', '--recipe', 'demo', '--data', 'names.csv', '--out', 'run', ...settings],
      folder,
    )
    expect(output).toMatch(/"Rose" \(3 photos\) and "rose" \(3 photos\) differ in capital letters alone/)
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    expect(output).not.toMatch(/[\u001b\u202e]/)
    expect(code).toBe(0)
    expect(await readdir(at('run'))).toContain('report.html')
    const { counts } = JSON.parse(await readFile(at('run', 'data.json'), 'utf8')) as {
      counts: { train: Record<string, number> }
    }
    expect(new Map(Object.entries(counts.train))).toEqual(new Map(labels.map((label) => [label, 2])))
  })

  it('are exported: manifest, files of Hugging Face, card', async () => {
    const { code, output } = await runTrainer(['export', '--run', 'run', '--data', 'names.csv', '--out', model], folder)
    expect(output).toContain('validation photos: top-1')
    expect(code).toBe(0)
    const { manifest } = await openModel(at(model))
    expect(manifest.labels).toEqual(labels)
    expect(manifest.classPrior).toEqual(labels.map(() => 1 / labels.length))
    const config = JSON.parse(await readFile(at(model, 'config.json'), 'utf8')) as Record<string, object>
    expect(Object.values(config['id2label']!)).toEqual(labels)
    expect(new Map(Object.entries(config['label2id']!))).toEqual(new Map(labels.map((label, index) => [label, index])))
    const card = await readFile(at(model, 'README.md'), 'utf8')
    const rows = card.slice(card.indexOf('## By class')).trim().split('\n').slice(4)
    expect(rows).toHaveLength(labels.length)
    // A cell ends at a bar that no backslash stands before, unless that is escaped itself.
    for (const row of rows) expect(row.replaceAll(/\\./g, '').split('|')).toHaveLength(8)
  })

  it('are written by predict, evaluate and audit', async () => {
    const predicted = await runTrainer(['predict', '--model', model, '--input', 'flowers', '--out', 'a.csv'], folder)
    expect(predicted.code).toBe(0)
    const json = await runTrainer(
      ['evaluate', '--model', model, '--data', 'names.csv', '--views', 'none', '--json'],
      folder,
    )
    expect(json.code).toBe(0)
    const { classes } = JSON.parse(json.output) as { classes: { label: string }[] }
    expect(classes.map(({ label }) => label)).toEqual(labels)
    const table = await runTrainer(['evaluate', '--model', model, '--data', 'names.csv', '--views', 'none'], folder)
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    expect(table.output).not.toMatch(/[\u001b\u202e]/)
    const audit = await runTrainer(['data', 'audit', '--data', 'names.csv', '--out', 'pictures'], folder)
    expect(audit.code).toBe(0)
    expect(await readdir(at('pictures'))).toContain('class-counts.svg')
  })

  it('are answered and counted by the service', async () => {
    const service = await startService({ MODELS_DIR: at('models'), MODEL: 'odd' })
    try {
      const photos = await readdir(at('flowers', 'valid'), { recursive: true })
      const photo = photos.find((name) => name.endsWith('.jpg'))
      const response = await fetch(`${service.url}/classify?top_k=${labels.length}`, {
        method: 'POST',
        headers: { 'content-type': 'image/jpeg' },
        body: await readFile(at('flowers', 'valid', photo!)),
      })
      const answer = (await response.json()) as { predictions: { label: string }[] }
      expect(answer.predictions.map(({ label }) => label).toSorted()).toEqual(labels)
      const text = await (await fetch(`${service.url}/metrics`, { headers: { accept: 'text/plain' } })).text()
      const counted = [...text.matchAll(/^flowers_predictions_total\{model="odd",label="((?:\\.|[^"\\])*)"\} (\d)$/gm)]
      const unescaped = (value: string): string =>
        value.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
      expect(counted.map(([, label]) => unescaped(label!)).toSorted()).toEqual(labels)
      expect(counted.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(1)
      const best = encodeURIComponent(answer.predictions[0]!.label)
      const explained = await fetch(`${service.url}/explain?label=${best}&label=${encodeURIComponent('__proto__')}`, {
        method: 'POST',
        headers: { 'content-type': 'image/jpeg', accept: 'application/json' },
        body: await readFile(at('flowers', 'valid', photo!)),
      })
      expect(explained.status).toBe(200)
    } finally {
      await service.close()
    }
  })
})
