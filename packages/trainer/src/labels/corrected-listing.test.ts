import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { listPhotos } from '../dataset/listing.ts'
import { oddNames } from '../testing/odd-names.ts'
import { testFolder } from '../testing/test-photos.ts'
import { correctedListing } from './corrected-listing.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** The photos of a folder with decisions carried out, as they are listed from the CSV in another folder. */
async function corrected(names: readonly string[], of: ReadonlyMap<string, string | null>) {
  const folder = await testFolder(Object.fromEntries(names.map((name) => [`photos/${name}`, 'any bytes'])))
  cleanups.push(folder.remove)
  const { photos } = await listPhotos(join(folder.path, 'photos'))
  const out = join(folder.path, 'out', 'corrected.csv')
  const { csv, ...counts } = correctedListing(photos, { of }, dirname(out))
  await mkdir(dirname(out))
  await writeFile(out, csv)
  return { counts, csv, before: photos, after: (await listPhotos(out)).photos }
}

it('changes and drops, keeps splits, and leads to the same files', async () => {
  const { csv, counts } = await corrected(
    ['train/012-rose/1.jpg', 'train/012-rose/2.jpg', 'train/tulip/3.jpg', 'valid/tulip/4.jpg', 'test/lily/5.jpg'],
    new Map([
      ['train/012-rose/1.jpg', 'tulip'],
      ['train/tulip/3.jpg', null],
    ]),
  )
  expect(csv.split('\n')).toEqual([
    'path,label,split',
    '../photos/test/lily/5.jpg,lily,test',
    '../photos/train/012-rose/1.jpg,tulip,train',
    '../photos/train/012-rose/2.jpg,rose,train',
    '../photos/valid/tulip/4.jpg,tulip,valid',
    '',
  ])
  expect(counts).toEqual({ photos: 4, changed: 1, dropped: 1, emptied: [] })
})

it('gives no split where there was none, and tells of classes that are left empty', async () => {
  const { csv, counts } = await corrected(['rose/1.jpg', 'tulip/2.jpg'], new Map([['tulip/2.jpg', 'rose']]))
  expect(csv).toMatch(/^path,label\n/)
  expect(counts.emptied).toEqual(['tulip'])
})

it('keeps labels that begin with a number, also new ones, and those of which the other is gone', async () => {
  const { before, after } = await corrected(
    ['1-2-three/1.jpg', '2019-rose/2.jpg', '2020-rose/3.jpg', 'b/4.jpg'],
    new Map<string, string | null>([
      ['2020-rose/3.jpg', null],
      ['b/4.jpg', '2-b'],
    ]),
  )
  expect(before.map(({ label }) => label)).toEqual(['2-three', '2019-rose', '2020-rose', 'b'])
  expect(after.map(({ label }) => label)).toEqual(['2-three', '2019-rose', '2-b'])
})

it('survives odd names', async () => {
  // What a file system allows in a name.
  const names = oddNames.filter((name) => !name.includes('/') && name.length < 200)
  const paths = names.flatMap((name, index) => [`${name}/a,"${index}"; .jpg`, `${name}/é\r\n${index}.jpg`])
  const { before, after, csv } = await corrected(paths, new Map())
  expect(csv.startsWith('\ufeff')).toBe(true)
  const labelOf = (photos: typeof before) => new Map(photos.map(({ path, label }) => [path, label]))
  expect(labelOf(after)).toEqual(labelOf(before))
})
