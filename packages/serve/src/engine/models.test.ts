import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startService, testModels } from '../testing/service.ts'
import type { RunningService } from '../testing/service.ts'
import { Classifier } from './classifier.ts'
import { fingerprint } from './watch.ts'

let models: string
let service: RunningService

beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'flowers-models-'))
  // Without what services of other tests have measured.
  await cp(testModels, models, { recursive: true, filter: (path) => basename(path) !== 'batches.json' })
  await copyOfTiny('other')
  service = await startService({ MODELS_DIR: models, FLOWERS_WORKERS: '1' })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await service.close()
  await rm(models, { recursive: true })
})

async function copyOfTiny(name: string): Promise<void> {
  await cp(join(testModels, 'tiny'), join(models, name), { recursive: true })
  const path = join(models, name, '1', 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8')) as object
  await writeFile(path, JSON.stringify({ ...manifest, name }))
}

const isServed = async (model: string): Promise<boolean> => {
  const text = await (await fetch(`${service.url}/metrics`)).text()
  return text.includes(`flowers_model_info{model="${model}"`)
}

describe('the batch of a model', () => {
  const file = (): string => join(models, 'tiny', 'batches.json')
  const restart = async (environment: Record<string, string> = {}): Promise<Classifier> => {
    await service.close()
    service = await startService({ MODELS_DIR: models, FLOWERS_WORKERS: '1', ...environment })
    return service.engine.classifier()
  }
  interface Kept {
    measured: { setup: Record<string, unknown>; batch: number; seconds: Record<string, number>[] }[]
  }
  const kept = async (): Promise<Kept> => JSON.parse(await readFile(file(), 'utf8')) as Kept

  it('is measured once, beside what the watcher looks at, and taken from there later', async () => {
    await rm(file(), { force: true })
    const before = await fingerprint(join(models, 'tiny', '1'))
    expect((await restart()).batch.source).toBe('measured')
    expect(await fingerprint(join(models, 'tiny', '1'))).toBe(before)
    const [entry] = (await kept()).measured
    expect(entry!.batch).toBe((await service.engine.classifier()).batch.views)
    expect(entry!.seconds).toEqual([expect.objectContaining({ 1: expect.any(Number) })])

    // Another one than was found, to see that it is this that counts.
    const other = [1, 2, 4].find((views) => views !== entry!.batch)!
    // Quicker than any start can be: none shows that other work disturbed it.
    const seconds = entry!.seconds.map((times) => Object.fromEntries(Object.keys(times).map((views) => [views, 1e-9])))
    await writeFile(file(), JSON.stringify({ measured: [{ ...entry!, batch: other, seconds }] }))
    expect((await restart()).batch).toEqual({ views: other, source: 'kept' })
    expect(await service.metric('flowers_batch_views')).toBe(other)
    await service.engine.loadModel('tiny')
    expect((await service.engine.classifier()).batch).toEqual({ views: other, source: 'kept' })
  })

  it('is measured anew when what was kept is of another machine, or broken', async () => {
    const [entry] = (await kept()).measured
    const elsewhere = { ...entry!, setup: { ...entry!.setup, cpu: 'another' } }
    for (const content of [JSON.stringify({ measured: [elsewhere] }), 'broken']) {
      await writeFile(file(), content)
      expect((await restart()).batch.source).toBe('measured')
    }
    expect((await kept()).measured).toHaveLength(1)
  })

  it('is measured anew once a start shows that other work disturbed the measurement', async () => {
    const [entry] = (await kept()).measured
    await writeFile(file(), JSON.stringify({ measured: [{ ...entry!, seconds: [{ 1: 1000 }] }] }))
    expect((await restart()).batch.source).toBe('kept')
    expect((await kept()).measured).toEqual([])
    expect((await restart()).batch.source).toBe('measured')
  })

  it('is measured once for a reload too where nothing can be written', async () => {
    await rm(file())
    await mkdir(file())
    expect((await restart()).batch.source).toBe('measured')
    await service.engine.loadModel('tiny')
    expect((await service.engine.classifier()).batch.source).toBe('kept')
  })

  it('is the one that is configured, for which nothing is measured or kept', async () => {
    await rm(file())
    expect((await restart({ FLOWERS_BATCH: '3' })).batch).toEqual({ views: 3, source: 'configured' })
    await expect(readFile(file())).rejects.toThrow('ENOENT')
  })
})

describe('models that load at the same time', () => {
  it('see the memory of each other', async () => {
    const load = vi.spyOn(Classifier, 'load')
    const { engine } = service
    const [slow, other] = await Promise.all([engine.classifier('slow'), engine.classifier('other')])
    const tiny = await engine.classifier()
    const held = load.mock.calls.map(([{ name }, options]) => [name, options.held.others])
    const [first] = held.map(([name]) => (name === 'slow' ? slow : other))
    expect(held.map(([, bytes]) => bytes)).toEqual([tiny.plan.bytes, tiny.plan.bytes + first!.plan.bytes])
  })

  it('are loaded anew beside the version that serves', async () => {
    const { engine } = service
    const [tiny, slow, other] = await Promise.all(['tiny', 'slow', 'other'].map((name) => engine.classifier(name)))
    const load = vi.spyOn(Classifier, 'load')
    await engine.loadModel('tiny')
    expect(load.mock.calls.map(([, { held }]) => held)).toEqual([
      { others: slow!.plan.bytes + other!.plan.bytes, replaced: tiny!.plan.bytes },
    ])
  })
})

describe('a model that is unloaded while it is first asked', () => {
  it.each(['before', 'after'])('stays unloaded: the command came right %s', async (when) => {
    const { engine } = service
    const asked = (): Promise<unknown> => engine.classifier('slow').catch(({ code }: { code: string }) => code)
    const unload = (): Promise<void> => engine.unloadModel('slow')
    const [answer] =
      when === 'after' ? await Promise.all([asked(), unload()]) : (await Promise.all([unload(), asked()])).toReversed()
    expect(answer).toBe('MODEL_UNLOADED')
    expect(await isServed('slow')).toBe(false)
    await engine.loadModel('slow')
    expect(await isServed('slow')).toBe(true)
  })
})
