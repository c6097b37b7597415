import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Manifest } from '@flowers/shared/model/manifest'
import { openModel } from '@flowers/shared/model/package'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDataset, withoutPhotos } from '../dataset/dataset.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'
import { openPhotosOf } from './photos-of-model.ts'

const tiny = fileURLToPath(new URL('../../../serve/fixtures/models/tiny/1', import.meta.url))
const wrong = 'train/red/wrong.jpg'

let data: Awaited<ReturnType<typeof testFolder>>
let wrongHash: string

beforeAll(async () => {
  const photos = await Promise.all([1, 2, 3, 4, 5].map((seed) => testPhoto(seed)))
  wrongHash = createHash('sha256').update(photos[4]!).digest('hex')
  data = await testFolder({
    'train/red/a.jpg': photos[0]!,
    [wrong]: photos[4]!,
    'train/blue/b.jpg': photos[1]!,
    'valid/red/c.jpg': photos[2]!,
    'valid/blue/d.jpg': photos[3]!,
  })
})
afterAll(() => data.remove())

/** Of a run on the folder that left `wrong` out. */
async function manifestOf(how: { excluded?: string[]; ignore?: string[] }): Promise<Manifest> {
  const { manifest } = await openModel(tiny)
  const { sha256 } = withoutPhotos(await openDataset(data.path, { seed: 1 }), new Set([wrong]))
  const { excluded, ignore = [] } = how
  return {
    ...manifest,
    data: { ...manifest.data, sha256, ...(excluded && { excluded }) },
    recipe: { data: { validShare: 0.15, ignore } },
  }
}

it.each([
  ['names', () => ({ excluded: [wrong] })],
  ['knows by the recipe, where it is older than the list', () => ({ ignore: ['0'.repeat(64), wrongHash] })],
])('leaves out what the manifest %s', async (_, how) => {
  const manifest = await manifestOf(how())
  const { samples, sha256, excluded } = await openPhotosOf(manifest, { data: data.path, split: 'train' })
  expect(samples.map(({ id }) => id)).toEqual(['train/blue/b.jpg', 'train/red/a.jpg'])
  expect(sha256).toBe(manifest.data.sha256)
  expect(excluded).toBe(1)
})

it('takes all where that does not make them the photos of the run', async () => {
  const { manifest } = await openModel(tiny)
  const { sha256 } = await openDataset(data.path, { seed: 1 })
  const others = [
    manifest,
    await manifestOf({}),
    await manifestOf({ excluded: ['train/red/a.jpg', wrong] }),
    await manifestOf({ excluded: ['train/blue/b.jpg'] }),
    { ...(await manifestOf({ excluded: [wrong] })), data: { ...manifest.data, sha256, excluded: [wrong] } },
  ]
  for (const other of others) {
    const photos = await openPhotosOf(other, { data: data.path, split: 'train' })
    expect(photos).toMatchObject({ sha256, excluded: 0 })
    expect(photos.samples).toHaveLength(3)
  }
})

it('takes every photo of a folder that is asked for as a whole', async () => {
  const photos = await openPhotosOf(await manifestOf({ excluded: [wrong] }), { data: data.path, split: 'all' })
  expect(photos).toMatchObject({ sha256: null, excluded: 0 })
  expect(photos.samples).toHaveLength(5)
})

describe('data of one split and of some classes', () => {
  const listOf = async (rows: readonly string[]): Promise<string> => {
    await data.write('list.csv', ['path,label,split', ...rows, ''].join('\n'))
    return join(data.path, 'list.csv')
  }

  it('is enough', async () => {
    const csv = await listOf(['train/red/a.jpg,red,test'])
    const manifest = await manifestOf({ excluded: [] })
    const { samples, sha256 } = await openPhotosOf(manifest, { data: csv, split: 'test' })
    expect(samples).toMatchObject([{ id: 'train/red/a.jpg', label: 'red', index: manifest.labels.indexOf('red') }])
    expect(sha256).not.toBe(manifest.data.sha256)
    const alone = await openPhotosOf(manifest, { data: join(data.path, 'valid'), split: 'all' })
    expect(alone).toMatchObject({ chosen: false, samples: [{ label: 'blue' }, { label: 'red' }] })
    const unsplit = await openPhotosOf(manifest, { data: join(data.path, 'train'), split: 'train' })
    expect(unsplit).toMatchObject({ chosen: true, excluded: 0 })
  })

  it('names the splits that it has, where another is asked for', async () => {
    const csv = await listOf(['train/red/a.jpg,red,test', 'train/blue/b.jpg,blue,train'])
    await expect(openPhotosOf(await manifestOf({}), { data: csv, split: 'valid' })).rejects.toMatchObject({
      code: 'EVALUATE_SPLIT',
      message: `"${csv}" has no photos in the split valid, but 1 photo in train and 1 photo in test.`,
    })
  })

  it('may not have a class that the model does not know in the split asked for', async () => {
    const csv = await listOf(['train/red/a.jpg,pink,test', 'train/blue/b.jpg,blue,valid'])
    const manifest = await manifestOf({})
    await expect(openPhotosOf(manifest, { data: csv, split: 'test' })).rejects.toMatchObject({
      code: 'EVALUATE_LABELS',
      message: expect.stringContaining('"pink"') as string,
    })
    expect((await openPhotosOf(manifest, { data: csv, split: 'valid' })).samples).toHaveLength(1)
  })
})
