import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createInstruments, createRegistry, type MetricsRegistry } from '../observe/instruments.ts'
import { FakeWorkers, fakePlatform } from '../testing/fake-workers.ts'
import { testModels } from '../testing/service.ts'
import { Engine } from './models.ts'
import type { EngineConfig } from './open-model.ts'
import { sessionBytes } from './plan.ts'

let models: string
let workers: FakeWorkers
let registry: MetricsRegistry
let engine: Engine
const log = { info: vi.fn<() => void>(), error: vi.fn<(facts: object, message: string) => void>() }

beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'flowers-models-'))
  await Promise.all(['tiny', 'slow', 'other'].map((name) => addVersion(name, 1)))
  await writeFile(join(models, 'default'), 'tiny\n')
  vi.clearAllMocks()
  await restart()
})
afterEach(async () => {
  vi.useRealTimers()
  await engine.close()
  await rm(models, { recursive: true })
})

/** Of one session of the model, which all three are. */
const session = async (): Promise<number> =>
  sessionBytes((await readFile(join(testModels, 'tiny/1/onnx/model.onnx'))).length, 32)

async function addVersion(name: string, version: number): Promise<void> {
  const folder = join(models, name, String(version))
  await cp(join(testModels, 'tiny', '1'), folder, { recursive: true })
  const path = join(folder, 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8')) as object
  await writeFile(path, JSON.stringify({ ...manifest, name, version }))
}

async function restart(memory?: number, change: Partial<EngineConfig> = {}): Promise<void> {
  await engine?.close()
  workers = new FakeWorkers()
  registry = createRegistry()
  const limits = { queueLimit: 8, pixelLimitMp: 64, decodeTimeoutMs: 1000, watchMs: null }
  const config = { modelsDir: models, model: null, workers: 1, threads: 1, batch: 1, ...limits, ...change }
  engine = new Engine(config, createInstruments(registry), log, fakePlatform(workers, memory))
  await engine.start()
}

const codeOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => null,
    ({ code }: { code: string }) => code,
  )
const series = async (pattern: RegExp): Promise<string[]> => (await registry.metrics()).match(pattern) ?? []
const versionOf = async (name?: string): Promise<string> => {
  const { manifest } = await engine.classifier(name)
  return `${manifest.name} ${manifest.version}`
}

describe('an engine', () => {
  it('takes nothing before the default model serves, and is not ready once it drains', async () => {
    const cold = new Engine(
      {
        modelsDir: models,
        model: null,
        workers: 1,
        threads: 1,
        batch: 1,
        queueLimit: 8,
        pixelLimitMp: 64,
        decodeTimeoutMs: 1,
        watchMs: null,
      },
      createInstruments(createRegistry()),
      log,
      fakePlatform(workers),
    )
    expect([cold.ready, cold.plan, cold.batch]).toEqual([false, null, 0])
    expect(cold.load).toEqual({ queued: 0, age: 0, busy: 0, workers: 0, backlog: 0 })
    expect(() => cold.assertRoom(1)).toThrow(expect.objectContaining({ code: 'SERVICE_NOT_READY' }))
    await cold.start()
    expect([cold.ready, cold.plan?.workers, cold.batch, cold.load.workers]).toEqual([true, 1, 1, 1])
    expect(() => cold.assertRoom(8)).not.toThrow()
    cold.drain()
    expect(cold.ready).toBe(false)
    await cold.close()
    expect(cold.closing.aborted).toBe(true)
  })

  it('loads other models when they are asked, and tells what can be asked', async () => {
    expect(await versionOf('other')).toBe('other 1')
    expect(await codeOf(engine.classifier('oak'))).toBe('MODEL_MISSING')
    expect((await engine.manifest('slow')).name).toBe('slow')
    await engine.unloadModel('other')
    expect(await codeOf(engine.classifier('other'))).toBe('MODEL_UNLOADED')
    expect(await codeOf(engine.manifest('other'))).toBe('MODEL_UNLOADED')
    expect(await codeOf(engine.unloadModel('tiny'))).toBe('MODEL_IN_USE')
    await addVersion('tiny', 2)
    expect((await engine.repository()).map(({ name, version, reason }) => `${name} ${version}: ${reason}`)).toEqual([
      'other 1: unloaded',
      'slow 1: not loaded',
      'tiny 1: null',
      'tiny 2: version 1 serves',
    ])
    await engine.loadModel('other')
    expect(await versionOf('other')).toBe('other 1')
  })
})

describe('models that load at the same time', () => {
  it('see the memory of each other: of two only one fits', async () => {
    // At most 0.8 of the memory is held.
    await restart((2.5 * (await session())) / 0.8)
    const codes = await Promise.all(['slow', 'other'].map((name) => codeOf(engine.classifier(name))))
    expect(new Set(codes)).toEqual(new Set([null, 'MODEL_MEMORY']))
  })

  it('are loaded beside the version that serves', async () => {
    const bytes = await session()
    await restart((3.5 * bytes) / 0.8)
    await Promise.all(['slow', 'other'].map((name) => engine.classifier(name)))
    expect(await codeOf(engine.loadModel('tiny'))).toBe('MODEL_MEMORY')
    await engine.unloadModel('slow')
    await engine.loadModel('tiny')
  })
})

describe('a model that is unloaded while it is first asked', () => {
  it.each(['before', 'after'])('stays unloaded: the command came right %s', async (when) => {
    const asked = (): Promise<unknown> => codeOf(engine.classifier('slow'))
    const unload = (): Promise<void> => engine.unloadModel('slow')
    const [answer] =
      when === 'after' ? await Promise.all([asked(), unload()]) : (await Promise.all([unload(), asked()])).toReversed()
    expect(answer).toBe('MODEL_UNLOADED')
    const info = /flowers_model_info\{model="slow".*/g
    expect(await series(info)).toEqual([])
    await engine.loadModel('slow')
    expect(await series(info)).toHaveLength(1)
  })
})

describe('a reload', () => {
  it('takes the highest version of each loaded model, and the default that is named now', async () => {
    await Promise.all(['tiny', 'other'].map((name) => addVersion(name, 2)))
    await engine.reload()
    expect([await versionOf(), await versionOf('other')]).toEqual(['tiny 2', 'other 2'])
    await writeFile(join(models, 'default'), 'slow\n')
    await engine.reload()
    expect(await versionOf()).toBe('slow 1')
    expect(await series(/flowers_model_info\{.*/g)).toHaveLength(3)
    expect(await series(/flowers_model_reloads_total\{model="default",result="done"\} .*/g)).toEqual([
      'flowers_model_reloads_total{model="default",result="done"} 1',
    ])
  })

  it('that fails is counted and logged, and the version before goes on', async () => {
    await addVersion('tiny', 2)
    await writeFile(join(models, 'tiny/2/onnx/model.onnx'), 'changed')
    await engine.reload()
    expect([await versionOf(), engine.ready]).toEqual(['tiny 1', true])
    expect(log.error).toHaveBeenCalledWith(
      expect.objectContaining({ model: 'tiny', code: 'MODEL_TAMPERED' }),
      expect.stringContaining('goes on'),
    )
    expect(await codeOf(engine.loadModel('tiny'))).toBe('MODEL_TAMPERED')
    expect(await series(/flowers_model_reloads_total\{model="tiny",result="failed"\} .*/g)).toEqual([
      'flowers_model_reloads_total{model="tiny",result="failed"} 2',
    ])
  })

  it('comes by itself once a changed folder stays as it is', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await restart(undefined, { watchMs: 100 })
    await addVersion('tiny', 2)
    expect(await versionOf()).toBe('tiny 1')
    // A look begins in virtual time and reads the disk in its own.
    while ((await versionOf()) !== 'tiny 2') await vi.advanceTimersByTimeAsync(100)
  })
})
