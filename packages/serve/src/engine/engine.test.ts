import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startService, testModels } from '../testing/service.ts'
import type { RunningService } from '../testing/service.ts'
import { Classifier } from './classifier.ts'

let models: string
let service: RunningService

beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'flowers-models-'))
  await cp(testModels, models, { recursive: true })
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

describe('models that load at the same time', () => {
  it('see the memory of each other', async () => {
    const load = vi.spyOn(Classifier, 'load')
    const { engine } = service
    const [slow, other] = await Promise.all([engine.classifier('slow'), engine.classifier('other')])
    const tiny = await engine.classifier()
    const held = load.mock.calls.map(([{ name }, options]) => [name, options.held])
    const [first] = held.map(([name]) => (name === 'slow' ? slow : other))
    expect(held.map(([, bytes]) => bytes)).toEqual([tiny.plan.bytes, tiny.plan.bytes + first!.plan.bytes])
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
