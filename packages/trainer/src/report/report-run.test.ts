import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseHTML } from 'linkedom'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Audit } from '../dataset/audit.ts'
import { testFolder } from '../testing/test-photos.ts'
import { drawFlowers } from '../drawn/drawn-flowers.ts'
import { recipeDefaults, reportPhases } from '../testing/test-recipe.ts'
import type { Phase, Recipe } from '../recipe/schema.ts'
import { percent } from '../console/format.ts'
import { createProgress } from '../console/progress.ts'
import { readHistory } from '../run/history.ts'
import type { Dataset } from '../dataset/dataset.ts'
import { reportAtEnd, reportRun, sampleOf } from './report-run.ts'
import type { RunResult } from '../train/finished.ts'
import { trainRun } from '../train/run.ts'

const hostile = `<i onclick="alert(1)">rose</i> & 'co'`
const photoCounts = { species: 4, train: 6, valid: 5 }

const phase: Phase = {
  ...reportPhases.full,
  epochs: 2,
  size: 32,
  batch: 8,
  samplerPower: 0.5,
  ema: null,
  tta: { views: 'three', everyEpochs: 2, lastEpochs: 0 },
  learningRate: { backbone: 1e-3, head: 1e-3, schedule: { kind: 'cosine', warmupEpochs: 0, minimum: 0.1 } },
}

const recipe: Recipe = {
  ...recipeDefaults,
  name: 'tiny',
  model: {
    architecture: 'convnext_test',
    head: { kind: 'linear' },
    stochasticDepth: 0,
    layerScale: 0,
    weights: null,
  },
  phases: {
    head: { ...reportPhases.head, epochs: 0 },
    full: phase,
    fixres: { ...phase, epochs: 1, size: 40 },
  },
  sweep: { sizes: [64], views: 'one' },
}

let folder: Awaited<ReturnType<typeof testFolder>>
let run: string
let data: string
let result: RunResult
let text: string
let document: Page
const messages: string[] = []

/** A CSV, because a folder of such a name is not possible everywhere; one class has fewer photos than the others. */
async function writeCsv(place: string): Promise<string> {
  const files = (await readdir(place, { recursive: true })).filter((name) => name.endsWith('.jpg')).toSorted()
  const first = files[0]!.split('/')[1]!
  const rows = files
    .filter((file) => !(file.startsWith('train/') && file.includes(first) && /[0-2]\.jpg$/.test(file)))
    .map((file) => {
      const [split, label] = file.split('/') as [string, string]
      const name = label === first ? `"${hostile.replaceAll('"', '""')}"` : label
      return `flowers/${file},${name},${split}`
    })
  return `path,label,split\n${rows.join('\n')}\n`
}

/** A second file of a training photo, of lower quality. */
async function writeNearCopy(place: string): Promise<void> {
  const files = (await readdir(place, { recursive: true })).filter((name) => /^train.*\.jpg$/.test(name)).toSorted()
  const photo = join(place, files.at(-1)!)
  await sharp(photo).jpeg({ quality: 50 }).toFile(photo.replace('.jpg', '-again.jpg'))
}

beforeAll(async () => {
  folder = await testFolder({})
  await drawFlowers(join(folder.path, 'flowers'), { ...photoCounts, size: 48, seed: 4 })
  await writeNearCopy(join(folder.path, 'flowers'))
  data = join(folder.path, 'flowers.csv')
  await writeFile(data, await writeCsv(join(folder.path, 'flowers')))
  run = join(folder.path, 'run')
  result = await train(false, new AbortController().signal)
  ;({ text, document } = await pageOf(join(run, 'report.html')))
})

afterAll(() => folder.remove())

const train = (resume: boolean, signal: AbortSignal) => {
  const progress = { ...silent(), message: (line: string) => void messages.push(line) }
  const report = (dataset: Dataset) => reportAtEnd({ folder: run, progress, signal }, dataset)
  return trainRun({ recipe, data, folder: run, resume, progress, signal, report })
}

const goOn = (signal: AbortSignal) => train(true, signal)

const silent = () => ({ ...createProgress(false), epochStart() {}, step() {}, epochEnd() {}, close() {} })

const pageOf = async (path: string) => {
  const text = await readFile(path, 'utf8')
  return { text, document: parseHTML(text).document }
}

type Page = Awaited<ReturnType<typeof pageOf>>['document']

const texts = (page: Page, selector: string): string[] =>
  [...page.querySelectorAll(selector)].map(({ textContent }) => (textContent ?? '').replace(/\s+/g, ' ').trim())

describe('the report that a training run leaves', () => {
  it('needs nothing but itself', async () => {
    expect(messages.filter((line) => line.startsWith('warning'))).toEqual([])
    expect(text).not.toMatch(/https?:\/\/|\burl\(|@import/)
    expect(document.querySelectorAll('script, link, iframe, object')).toHaveLength(0)
    expect(text).not.toMatch(/undefined|NaN|\[object/)
    const sources = [...document.querySelectorAll('img')].map((image) => image.getAttribute('src') ?? '')
    expect(sources.length).toBeGreaterThan(0)
    for (const source of sources) expect(source).toMatch(/^data:image\/webp;base64,/)
    const picture = await sharp(Buffer.from(sources[0]!.split(',')[1] ?? '', 'base64')).metadata()
    expect(picture).toMatchObject({ format: 'webp', width: 96, height: 96 })
  })

  it('can be read by a machine that reads aloud', async () => {
    expect(document.documentElement.getAttribute('lang')).toBe('en')
    expect(texts(document, 'h1')).toEqual(['Training on flowers.csv'])
    for (const image of document.querySelectorAll('img')) expect(image.getAttribute('alt')).toMatch(/^photo labelled ./)
    for (const head of document.querySelectorAll('th'))
      expect(head.getAttribute('scope')).toMatch(/^(col|row|rowgroup)$/)
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const links = [...document.querySelectorAll('nav a')].map((link) => link.getAttribute('href'))
    expect(links).toEqual([...document.querySelectorAll('h2')].map(({ id }) => `#${id}`))
    // Three curves, confusion, reliability, counts, prior.
    const charts = [...document.querySelectorAll('svg')]
    expect(charts).toHaveLength(7)
    for (const svg of charts) {
      expect(svg.getAttribute('role')).toBe('img')
      expect(svg.getAttribute('aria-label')).toMatch(/\w{4}/)
      expect(svg.querySelectorAll('text').length).toBeGreaterThan(2)
      expect(svg.closest('figure')!.querySelector('figcaption')!.textContent).toMatch(/\w{4}/)
    }
  })

  it('shows labels as they are written', async () => {
    expect(document.querySelectorAll('[onclick], td i, th i, h3 i')).toHaveLength(0)
    expect(texts(document, '.classes tbody th[scope=row]')).toContain(hostile)
    const ticks = texts(document, '#confusion ~ figure svg text')
    expect(ticks.filter((text) => text === hostile)).toHaveLength(2)
  })

  it('says what the run measured', async () => {
    const { phases } = await readHistory(join(run, 'metrics.jsonl'))
    expect(texts(document, '.headline .figure')[0]).toBe(percent(result.accuracy))
    const training = document.querySelector('#training')!.closest('section')!
    const [rows = [], sweep = []] = [...training.querySelectorAll('tbody')].map((body) =>
      [...body.querySelectorAll('tr')].map((row) =>
        [...row.querySelectorAll('th, td')].map(({ textContent }) => textContent!.trim()),
      ),
    )
    expect(rows.map(([name, size, epochs]) => [name, size, epochs])).toEqual([
      ['full', '32 px', '2 of 2'],
      ['fixres', '40 px', '1 of 1'],
    ])
    expect(rows[1]![3]).toBe(percent(phases[1]!.validAccuracy))
    expect(sweep.map(([name, size]) => [name, size])).toEqual([
      ['full', '32 px'],
      ['fixres', '40 px'],
      ['full', '64 px'],
      ['fixres', '64 px'],
    ])
    const exported = sweep.filter((row) => row.at(-1) === 'yes')
    expect(exported.map((row) => row[3])).toEqual([percent(result.accuracy)])
    // One point an epoch and one at the start of a phase; the second has views beside.
    const titles = texts(document, '.three title')
    expect(titles.filter((title) => title.includes('validation loss'))).toHaveLength(5)
    expect(titles.filter((title) => title.includes('several views'))).toHaveLength(1)
    const last = phases[1]!.epochs[0]!
    expect(titles).toContain(`fixres: training loss after epoch 1: ${last.loss.toFixed(3)}`)
  })

  it('counts every validation photo once in the confusion matrix and in the table', async () => {
    const cells = texts(document, '#confusion ~ figure svg title').map((title) => Number(/: (\d+)/.exec(title)![1]))
    expect(cells.reduce((sum, count) => sum + count, 0)).toBe(photoCounts.species * photoCounts.valid)
    const counts = [...document.querySelectorAll('.classes tbody tr')].flatMap((row) => {
      const numbers = [...row.querySelectorAll('td.number')].map(({ textContent }) => Number(textContent))
      return numbers.length === 0 ? [] : [numbers]
    })
    expect(counts.reduce((sum, [, valid]) => sum + valid!, 0)).toBe(photoCounts.species * photoCounts.valid)
    expect(counts.map(([train]) => train!)).toEqual(counts.map(([train]) => train!).toSorted((a, b) => b - a))
  })

  it('writes down what the audit found', async () => {
    const { audit } = JSON.parse(await readFile(join(run, 'data.json'), 'utf8')) as { audit: Audit }
    expect(audit.checked).toBeGreaterThan(photoCounts.species * photoCounts.valid)
    const ids = audit.problems.find(({ kind }) => kind === 'nearDuplicate')!.ids
    expect(ids.join()).toContain('-again.jpg')
    expect(texts(document, 'summary + ul li').join('\n')).toContain(ids.join(' = '))
  })
})

describe('a report that is made again', () => {
  it('is the same', async () => {
    const { path, findings } = await reportRun({ folder: run, out: join(folder.path, 'again.html') })
    expect(await readFile(path, 'utf8')).toBe(await readFile(join(run, 'report.html'), 'utf8'))
    expect(findings.measures.top1.value).toBe(result.accuracy)
  })

  it('without photos names them', async () => {
    const { path, findings } = await reportRun({
      folder: run,
      data,
      photos: false,
      out: join(folder.path, 'bare.html'),
    })
    const { text, document } = await pageOf(path)
    expect(text).not.toContain('data:image')
    expect(document.querySelectorAll('img')).toHaveLength(0)
    expect(texts(document, '.photos code')).toEqual(
      expect.arrayContaining(findings.mistakes.map(({ sample }) => sample.id)),
    )
    // Nothing of the machine goes with it.
    expect(text).not.toContain(folder.path)
  })

  it('refuses other photos', async () => {
    await expect(reportRun({ folder: run, data: join(folder.path, 'flowers') })).rejects.toMatchObject({
      code: 'TRAIN_DATA_CHANGED',
    })
  })
})

describe('a run whose report', () => {
  it('fails is trained all the same', async () => {
    const blocked = join(run, 'report.html')
    await rm(blocked)
    await mkdir(blocked)
    messages.length = 0
    expect(await goOn(new AbortController().signal)).toEqual(result)
    expect(messages.at(-1)).toMatch(/^warning: report.html was not written: /)
    await rm(blocked, { recursive: true })
  })

  it('is interrupted stops as asked, and makes it when it goes on', async () => {
    const reason = new Error('enough')
    await expect(goOn(AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(await readdir(run)).not.toContain('report.html')
    await goOn(new AbortController().signal)
    expect(await readFile(join(run, 'report.html'), 'utf8')).toBe(text)
  })
})

it('looks at fewer training photos the larger they are, the same ones each time', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => index)
  expect(sampleOf(many.slice(0, 3000), 64, 1)).toEqual(many.slice(0, 3000))
  const small = sampleOf(many, 64, 1)
  expect(small).toHaveLength(3000)
  expect(new Set(small).size).toBe(3000)
  expect(small).toEqual(small.toSorted((a, b) => a - b))
  expect(sampleOf(many, 64, 1)).toEqual(small)
  expect(sampleOf(many, 64, 2)).not.toEqual(small)
  expect(sampleOf(many, 640, 1)).toHaveLength(480)
})
