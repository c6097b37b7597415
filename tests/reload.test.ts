import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageModel } from '@flowers/shared/model/package'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { form, solid } from '@flowers/serve/testing/pictures'
import { startService, testModels, until, type RunningService } from '@flowers/serve/testing/service'

/** Each look at the folder ends with a timer of this length for the next; no other timer has it. */
const watchMs = 97

/** A new version of a model, or another one, while the service answers. */
let models: string
let service: RunningService
let red: Buffer

beforeAll(async () => (red = await solid('#ff0000')))
beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'flowers-models-'))
  await addVersion(1)
  await writeFile(join(models, 'default'), 'tiny\n')
  service = await startService({ MODELS_DIR: models, FLOWERS_ADMIN_TOKEN: 'root', FLOWERS_WATCH_MS: String(watchMs) })
})
afterEach(async () => {
  await service.close()
  await rm(models, { recursive: true })
})

/** Writes a version of the model as the trainer does: whole, under another name first. */
async function addVersion(version: number, name = 'tiny', network?: Buffer): Promise<string> {
  const source = join(testModels, 'tiny', '1')
  const { files: _, ...manifest } = JSON.parse(await readFile(join(source, 'manifest.json'), 'utf8'))
  const folder = join(models, name, String(version))
  await packageModel(
    folder,
    { 'onnx/model.onnx': network ?? { copyOf: join(source, 'onnx/model.onnx') }, 'README.md': '# tiny\n' },
    { ...manifest, name, version },
  )
  return folder
}

async function classify(): Promise<{ status: number; model: { name: string; version: number } }> {
  const response = await fetch(`${service.url}/classify`, { method: 'POST', body: form(red) })
  return { status: response.status, ...((await response.json()) as { model: { name: string; version: number } }) }
}

const load = async (): Promise<number> => {
  const url = `${service.url}/v2/repository/models/tiny/load`
  return (await fetch(url, { method: 'POST', headers: { authorization: 'Bearer root' } })).status
}
const serves = async (version: number, name = 'tiny'): Promise<boolean> => {
  const { model } = await classify()
  return model.name === name && model.version === version
}
const reloads = (result: string, model = 'tiny'): Promise<number | undefined> =>
  service.metric(`flowers_model_reloads_total{model="${model}",result="${result}"}`)

describe('on command', () => {
  it('fails no request, and ends with the highest version alone', async () => {
    let stopped = false
    const statuses: number[] = []
    const clients = Array.from({ length: 4 }, async () => {
      while (!stopped) statuses.push((await classify()).status)
    })
    for (const version of [2, 10, 9]) {
      await addVersion(version)
      expect(await load()).toBe(200)
    }
    expect(await serves(10)).toBe(true)
    stopped = true
    await Promise.all(clients)
    expect(statuses.length).toBeGreaterThan(0)
    expect(statuses.filter((status) => status !== 200)).toEqual([])
    expect(await reloads('done')).toBeGreaterThanOrEqual(3)
    const text = await (await fetch(`${service.url}/metrics`)).text()
    expect(text.match(/^flowers_model_info\{.*/gm)).toEqual([
      'flowers_model_info{model="tiny",version="10",architecture="convnext-test"} 1',
    ])
  })

  it('goes on with the version before when the new one is not what its manifest says, or cannot be run', async () => {
    const folder = await addVersion(2)
    await writeFile(join(folder, 'onnx', 'model.onnx'), 'changed')
    expect(await load()).toBe(500)
    await rm(folder, { recursive: true })
    await addVersion(3, 'tiny', Buffer.from('no network'))
    expect(await load()).toBe(500)
    expect(await reloads('failed')).toBeGreaterThanOrEqual(2)
    expect(await classify()).toMatchObject({ status: 200, model: { version: 1 } })
    expect(await service.metric('flowers_ready')).toBe(1)
  })
})

describe('a change of the folder', () => {
  it('is served when it is whole: a version that appears, one that is being copied, one that is removed', async () => {
    await addVersion(2)
    await until(() => serves(2))
    const { files: _, ...manifest } = JSON.parse(await readFile(join(models, 'tiny/2/manifest.json'), 'utf8'))
    await packageModel(
      join(models, 'copy', '3'),
      { 'onnx/model.onnx': { copyOf: join(models, 'tiny/2/onnx/model.onnx') }, 'README.md': '# tiny\n' },
      { ...manifest, version: 3 },
    )
    // The manifest arrives long before its network.
    await cp(join(models, 'copy', '3', 'manifest.json'), join(models, 'tiny', '3', 'manifest.json'))
    await until(async () => ((await reloads('failed')) ?? 0) > 0)
    expect(await serves(2)).toBe(true)
    await cp(join(models, 'copy', '3'), join(models, 'tiny', '3'), { recursive: true })
    await until(() => serves(3))
    await rm(join(models, 'tiny', '3'), { recursive: true })
    await until(() => serves(2))
  })

  it('is no reason to stop when nothing is left', async () => {
    await rm(join(models, 'tiny'), { recursive: true })
    expect(await load()).toBe(404)
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const looks = (): number => timers.mock.calls.filter(([, ms]) => ms === watchMs).length
    await until(() => looks() === 3)
    timers.mockRestore()
    expect(await classify()).toMatchObject({ status: 200, model: { version: 1 } })
  })

  it('of the name of the default model is followed', async () => {
    await addVersion(7, 'other')
    await writeFile(join(models, 'default'), 'other\n')
    await until(() => serves(7, 'other'))
    expect(await reloads('done', 'default')).toBe(1)
  })
})
