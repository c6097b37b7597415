import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { startService } from '@flowers/serve/testing/service'
import { openModel } from '@flowers/shared/model/package'
import { resolveRecipe } from '@flowers/trainer/recipe/resolve-recipe'
import { readHistory } from '@flowers/trainer/run/history'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runTrainer } from './trainer-process.ts'

/**
 * What an earlier release wrote: a run that was killed within phase `full`, its photos, the log of the same run once it had
 * ended, a model, recipe files, and the names of the service's metrics. It is not written anew when the code changes:
 * what people have on their disks does not change either.
 */
const earlier = fileURLToPath(new URL('fixtures/earlier', import.meta.url))
const headerEnd = '.header.json.gz'

interface Entry {
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-earlier-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('a run that was stopped', () => {
  it('goes on to its end, is reported and exported', async () => {
    const run = join(folder, 'run')
    await layOut(run)
    const before = await readFile(join(run, 'metrics.jsonl'), 'utf8')

    const resumed = await runTrainer(['train', '--resume', 'run'], folder)
    expect(resumed.output).toMatch(/^full 3\/3 /m)
    expect(resumed.output).toMatch(/^fixres 2\/2 /m)
    expect(resumed.output).not.toMatch(/^head /m)
    expect(resumed.output).toMatch(/^done: /m)
    expect(resumed.code).toBe(0)
    const log = await readFile(join(run, 'metrics.jsonl'), 'utf8')
    expect(log.startsWith(before)).toBe(true)
    const events = (text: string): string[] =>
      text
        .trim()
        .split('\n')
        .map((line) => {
          const { event, phase } = JSON.parse(line) as Record<string, string>
          return `${event} ${phase}`
        })
    const ended = await readFile(join(earlier, 'finished', 'metrics.jsonl'), 'utf8')
    // Which phase is scored at which size of the sweep depends on the weights.
    const trained = (text: string): string[] => events(text).filter((line) => !line.startsWith('sweep'))
    expect(trained(log)).toEqual(trained(ended))
    expect(events(log)).toContain('sweep full')
    // A loss that is no number is written as null, which makes no epoch of a history.
    const { phases } = await readHistory(join(run, 'metrics.jsonl'))
    expect(phases.map(({ epochs }) => epochs.length)).toEqual([2, 3, 2])

    const report = await runTrainer(['report', '--run', 'run', '--out', 'report.html'], folder)
    expect(report.output).toContain('wrote report.html')
    expect(report.code).toBe(0)

    const out = join('models', 'x', '1')
    const exported = await runTrainer(['export', '--run', 'run', '--data', 'flowers', '--out', out], folder)
    expect(exported.output).not.toContain('MODEL_')
    expect(exported.code).toBe(0)
    const { manifest } = await openModel(join(folder, out))
    expect(manifest).toMatchObject({
      name: 'x',
      version: 1,
      architecture: 'efficientnet_lite0',
      labels: ['daisy', 'rose', 'sunflower', 'tulip'],
    })
    expect(manifest.views).toHaveLength(3)
  }, 300_000)
})

describe('a log', () => {
  it('is read, of a run that has ended', async () => {
    const { phases, sweep } = await readHistory(join(earlier, 'finished', 'metrics.jsonl'))
    expect(phases.map(({ phase, size, epochs }) => [phase, size, epochs.length])).toEqual([
      ['head', 32, 2],
      ['full', 32, 3],
      ['fixres', 40, 2],
    ])
    const [, full] = phases
    expect(full!.epochs.map(({ ttaAccuracy }) => ttaAccuracy === null)).toEqual([true, false, true])
    expect(full!.epochs[0]!.effectivePrior).toHaveLength(4)
    expect(full!.epochs[2]!.learningRate).toBe(0.001)
    expect(sweep.map(({ phase, size, views }) => [phase, size, views])).toEqual([
      ['full', 32, 1],
      ['fixres', 32, 1],
      ['fixres', 40, 1],
      ['full', 64, 1],
      ['fixres', 64, 1],
    ])
  })
})

describe('a recipe file', () => {
  it('is read as it is where it says every setting', async () => {
    const path = join(earlier, 'recipe.json')
    const content: unknown = JSON.parse(await readFile(path, 'utf8'))
    expect(await resolveRecipe(path, [])).toMatchObject(content as object)
  })

  it('is completed where it says what it changes', async () => {
    const recipe = await resolveRecipe(join(earlier, 'partial.json'), [])
    expect(recipe).toMatchObject({
      name: 'partial',
      seed: 5,
      views: [{ flip: 'none', scale: 1 }],
      data: { validShare: 0.15, selection: 'half' },
      phases: {
        head: { epochs: 0, size: 384 },
        full: { epochs: 20, size: 384, learningRate: { backbone: 1.5e-5, schedule: { kind: 'fixed' } } },
        fixres: { epochs: 25, size: 576 },
      },
    })
  })

  it.each(['recipe.json', 'partial.json'])('%s is taken by train', async (name) => {
    const { code, output } = await runTrainer(
      ['train', '--recipe', join(earlier, name), '--data', 'nowhere', '--set', 'model.weights=null'],
      folder,
    )
    expect(output).toContain('DATA_NOT_FOUND')
    expect(code).toBe(2)
  })
})

describe('a model', () => {
  it('is served, and metrics have the names and labels they had', async () => {
    // The service writes its measurements beside the model.
    const models = join(folder, 'earlier-models')
    await cp(join(earlier, 'models'), models, { recursive: true })
    const service = await startService({ MODELS_DIR: models, MODEL: 'tiny' })
    try {
      expect((await fetch(`${service.url}/readyz`)).status).toBe(200)
      const photo = new Uint8Array(await readFile(join(earlier, 'flowers', 'valid', '01-daisy', '0001.jpg')))
      for (const policy of ['fast', 'exact']) {
        const response = await fetch(`${service.url}/classify?tta=${policy}`, {
          method: 'POST',
          headers: { 'content-type': 'image/jpeg' },
          body: photo,
        })
        expect(response.status).toBe(200)
        const answer = (await response.json()) as { predictions: { label: string }[] }
        expect(answer).toMatchObject({ model: { name: 'tiny', version: 1 }, views: { policy, of: 6 } })
        expect(answer.predictions.map(({ label }) => label).toSorted()).toEqual(['blue', 'green', 'red', 'yellow'])
      }
      const now = describeMetrics(await (await fetch(`${service.url}/metrics`)).text())
      const then = (await readFile(join(earlier, 'metrics.txt'), 'utf8')).trim().split('\n')
      expect(then.length).toBeGreaterThan(30)
      expect(now).toEqual(expect.arrayContaining(then))
    } finally {
      await service.close()
    }
  })
})

/** Lays the earlier run out in a folder, its arrays made anew, and its photos beside it. */
async function layOut(run: string): Promise<void> {
  await cp(join(earlier, 'flowers'), join(run, '..', 'flowers'), { recursive: true })
  await mkdir(join(run, 'checkpoints'), { recursive: true })
  for (const name of ['recipe.json', 'environment.json', 'metrics.jsonl'])
    await cp(join(earlier, 'run', name), join(run, name))
  const data = JSON.parse(await readFile(join(earlier, 'run', 'data.json'), 'utf8')) as { source: string }
  await writeFile(join(run, 'data.json'), JSON.stringify({ ...data, source: join(run, '..', data.source) }))
  const headers = await readdir(join(earlier, 'run', 'checkpoints'))
  expect(headers).toHaveLength(5)
  for (const name of headers) {
    const header = gunzipSync(await readFile(join(earlier, 'run', 'checkpoints', name)))
    await writeFile(join(run, 'checkpoints', basename(name, headerEnd)), fileOf(header))
  }
}

/** A safetensors file with this header. The arrays are not those of the run, which are megabytes. */
function fileOf(header: Buffer): Buffer {
  const { __metadata__: _, ...entries } = JSON.parse(header.toString()) as Record<string, Entry>
  const start = 8 + header.length
  const end = Math.max(...Object.values(entries).map(({ data_offsets: offsets }) => offsets[1]))
  const file = Buffer.alloc(start + end)
  file.writeBigUInt64LE(BigInt(header.length))
  header.copy(file, 8)
  for (const [name, { shape, data_offsets: offsets }] of Object.entries(entries)) {
    const values = valuesOf(name, shape)
    Buffer.from(values.buffer).copy(file, start + offsets[0])
  }
  return file
}

/** Values that a network of this depth stays finite with: the same for a weight and its average, none for what is gathered. */
function valuesOf(name: string, shape: readonly number[]): Float32Array {
  const count = shape.reduce((product, dimension) => product * dimension, 1)
  const values = new Float32Array(count)
  if (/^(first|gradient)\//.test(name)) return values
  if (name.startsWith('second/')) return values.fill(1e-8)
  const parameter = name.replace(/^(weight|average)\//, '')
  const isScale = shape.length === 1 && /\.(weight|running_var)$/.test(parameter)
  const inputs = shape.length === 1 ? 10_000 : Math.max(1, count / Math.max(...shape))
  const scale = Math.sqrt(3 / inputs)
  // Numerical Recipes' linear congruential generator.
  let state = Buffer.from(parameter).reduce((hash, byte) => (Math.imul(hash, 31) + byte) >>> 0, 7)
  return values.map(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Number(isScale) + scale * (state / 2 ** 31 - 1)
  })
}

/**
 * A line for each metric of the text that Prometheus reads: its name and type, and of our own the names of its labels;
 * which labels those of Node have depends on what has happened.
 */
function describeMetrics(text: string): string[] {
  return [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
    .map(([, name = '', type = '']) => {
      if (!name.startsWith('flowers_')) return `${name} ${type}`
      const samples = text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\} `, 'gm'))
      const labels = [...samples].flatMap(([, inside = '']) =>
        Array.from(inside.matchAll(/(\w+)="/g), ([, label = '']) => label),
      )
      return [name, type, ...[...new Set(labels)].toSorted((a, b) => a.localeCompare(b))].join(' ')
    })
    .toSorted((a, b) => a.localeCompare(b))
}
