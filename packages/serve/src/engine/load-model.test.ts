import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createInstruments, createRegistry } from '../observe/instruments.ts'
import { FakeWorkers } from '../testing/fake-workers.ts'
import { testModels } from '../testing/service.ts'
import { BatchCache } from './batch-cache.ts'
import { loadModel, type LoadedModel, type LoadOptions } from './load-model.ts'
import { fingerprint } from './watch.ts'

let models: string
let workers: FakeWorkers

beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'flowers-models-'))
  // Without what services of other tests have measured.
  await cp(testModels, models, { recursive: true, filter: (path) => basename(path) !== 'batches.json' })
  workers = new FakeWorkers()
})
afterEach(() => rm(models, { recursive: true }))

const folder = (): string => join(models, 'tiny', '1')
const file = (): string => join(models, 'tiny', 'batches.json')

function load(change: Partial<LoadOptions> = {}): Promise<LoadedModel> {
  return loadModelOf('tiny', change)
}

function loadModelOf(name: string, change: Partial<LoadOptions> = {}): Promise<LoadedModel> {
  return loadModel(
    { name, version: 1, folder: join(models, name, '1') },
    {
      createWorker: workers.create,
      allowance: { cores: 2, memory: 8e9, source: 'system' },
      batches: new BatchCache(),
      fixed: { workers: null, threads: null, batch: null },
      held: { others: 0, replaced: 0 },
      instruments: createInstruments(createRegistry()),
      now: () => 0,
      ...change,
    },
  )
}

interface Kept {
  measured: { setup: Record<string, unknown>; batch: number; seconds: Record<string, number>[] }[]
}
const kept = async (): Promise<Kept> => JSON.parse(await readFile(file(), 'utf8')) as Kept

it('starts the workers of the plan with the network that the manifest names', async () => {
  const { manifest, plan, pool, cost } = await load()
  expect([plan.workers, plan.threads, pool.ready]).toEqual([2, 1, 2])
  const { sha256, bytes } = manifest.files['onnx/model.onnx']!
  expect(workers.settings).toHaveLength(2)
  expect(workers.settings[0]).toMatchObject({ network: join(folder(), 'onnx/model.onnx'), sha256, bytes, classes: 4 })
  expect(cost.seconds(4)).toBeCloseTo(0.04, 9)
})

it('tells workers to give what pictures are refused by, where the manifest has it, and reads the groups of labels', async () => {
  const { names } = await load()
  expect([workers.settings.at(-1)!.needsKnown, names.groups.size]).toEqual([false, 0])
  const wary = await loadModelOf('wary')
  expect(workers.settings.at(-1)!.needsKnown).toBe(true)
  expect([...wary.names.groups]).toEqual([
    ['red', 'warm'],
    ['yellow', 'warm'],
  ])
})

it('refuses what does not fit into the memory beside what is held', async () => {
  const held = { others: 7e9, replaced: 0 }
  await expect(load({ held })).rejects.toMatchObject({ code: 'MODEL_MEMORY' })
  expect(workers.threads).toEqual([])
})

describe('the batch of a model', () => {
  it('is measured once, beside what the watcher looks at, and taken from there later', async () => {
    const before = await fingerprint(folder())
    expect((await load()).batch).toEqual({ views: 1, source: 'measured' })
    expect(await fingerprint(folder())).toBe(before)
    const [entry] = (await kept()).measured
    expect(entry).toMatchObject({ batch: 1, seconds: Array(2).fill({ 1: 0.01, 2: 0.02, 4: 0.04 }) })
    // Another one than was found, to see that it is this that counts.
    await writeFile(file(), JSON.stringify({ measured: [{ ...entry!, batch: 4 }] }))
    expect((await load()).batch).toEqual({ views: 4, source: 'kept' })
    expect(workers.settings.at(-1)!.warmUp.batches).toEqual([1, 4])
  })

  it('is measured again when what was kept is of another machine, or broken', async () => {
    await load()
    const [entry] = (await kept()).measured
    const elsewhere = { ...entry!, setup: { ...entry!.setup, cpu: 'another' } }
    for (const content of [JSON.stringify({ measured: [elsewhere] }), 'broken']) {
      await writeFile(file(), content)
      expect((await load()).batch.source).toBe('measured')
    }
    expect((await kept()).measured).toHaveLength(1)
  })

  it('is measured again once a start shows that other work disturbed the measurement', async () => {
    await load()
    const [entry] = (await kept()).measured
    await writeFile(file(), JSON.stringify({ measured: [{ ...entry!, seconds: [{ 1: 1000 }] }] }))
    expect((await load()).batch.source).toBe('kept')
    expect((await kept()).measured).toEqual([])
    expect((await load()).batch.source).toBe('measured')
  })

  it('is measured once where nothing can be written too', async () => {
    await mkdir(file())
    const batches = new BatchCache()
    expect((await load({ batches })).batch.source).toBe('measured')
    expect((await load({ batches })).batch.source).toBe('kept')
  })

  it('is the one that is configured, for which nothing is measured or kept', async () => {
    const fixed = { workers: 1, threads: null, batch: 3 }
    expect((await load({ fixed })).batch).toEqual({ views: 3, source: 'configured' })
    await expect(readFile(file())).rejects.toThrow('ENOENT')
  })
})
