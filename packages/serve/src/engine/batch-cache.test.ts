import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { BatchCache, type BatchSetup } from './batch-cache.ts'

const setup: BatchSetup = {
  sha256: 'a'.repeat(64),
  size: 80,
  cpu: 'a processor',
  workers: 2,
  threads: 1,
  onnxruntime: '1.0.0',
  sizes: [1, 2, 4],
}
const seconds = [{ 1: 0.01, 2: 0.012, 4: 0.024 }]

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-batches-'))
  file = join(folder, 'batches.json')
})
afterEach(() => rm(folder, { recursive: true }))

it('finds what was kept, also after a restart, and leaves nothing else behind', async () => {
  const cache = new BatchCache()
  expect(await cache.find(file, setup)).toBeNull()
  await cache.keep(file, setup, { batch: 2, seconds })
  expect(await cache.find(file, setup)).toMatchObject({ batch: 2 })
  expect(await new BatchCache().find(file, setup)).toMatchObject({ batch: 2 })
  expect(await readdir(folder)).toEqual(['batches.json'])
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ measured: [{ setup, batch: 2, seconds }] })
})

it.each(
  Object.entries({
    sha256: 'b'.repeat(64),
    size: 96,
    cpu: 'another',
    workers: 1,
    threads: 2,
    onnxruntime: '1.0.1',
    sizes: [1, 2],
  }),
)('keeps setups apart by %s', async (name, value) => {
  const other = { ...setup, [name]: value }
  await new BatchCache().keep(file, setup, { batch: 2, seconds })
  const cache = new BatchCache()
  expect(await cache.find(file, other)).toBeNull()
  await cache.keep(file, other, { batch: 1, seconds })
  expect(await new BatchCache().find(file, setup)).toMatchObject({ batch: 2 })
  expect(await new BatchCache().find(file, other)).toMatchObject({ batch: 1 })
})

it('replaces what it kept of a setup, and forgets the oldest of many', async () => {
  await new BatchCache().keep(file, setup, { batch: 2, seconds })
  await new BatchCache().keep(file, setup, { batch: 4, seconds })
  expect(await new BatchCache().find(file, setup)).toMatchObject({ batch: 4 })
  for (let threads = 2; threads <= 33; threads++)
    await new BatchCache().keep(file, { ...setup, threads }, { batch: 1, seconds })
  expect(await new BatchCache().find(file, setup)).toBeNull()
  expect(await new BatchCache().find(file, { ...setup, threads: 2 })).toMatchObject({ batch: 1 })
})

it.each([
  ['no JSON', '{"measured":'],
  ['something else', '[1]'],
  ['an entry of another form', JSON.stringify({ measured: [{ setup, batch: '2', seconds }] })],
  ['a batch that was not tried', JSON.stringify({ measured: [{ setup, batch: 3, seconds }] })],
])('knows nothing from a file that holds %s, and writes it anew', async (_, content) => {
  await writeFile(file, content)
  const cache = new BatchCache()
  expect(await cache.find(file, setup)).toBeNull()
  await cache.keep(file, setup, { batch: 4, seconds })
  expect(await new BatchCache().find(file, setup)).toMatchObject({ batch: 4 })
})

it('keeps in memory what cannot be written', async () => {
  await mkdir(file)
  const cache = new BatchCache()
  expect(await cache.find(file, setup)).toBeNull()
  await cache.keep(file, setup, { batch: 2, seconds })
  expect(await cache.find(file, setup)).toMatchObject({ batch: 2 })
  expect(await readdir(folder)).toEqual(['batches.json'])
  expect(await new BatchCache().find(file, setup)).toBeNull()
})

it('measures anew what it forgot, here and after a restart, and keeps the others', async () => {
  const other = { ...setup, threads: 2 }
  const cache = new BatchCache()
  await cache.keep(file, setup, { batch: 2, seconds })
  await cache.keep(file, other, { batch: 4, seconds })
  await cache.forget(file, setup)
  for (const each of [cache, new BatchCache()]) {
    expect(await each.find(file, setup)).toBeNull()
    expect(await each.find(file, other)).toEqual(expect.objectContaining({ batch: 4, seconds }))
  }
})
