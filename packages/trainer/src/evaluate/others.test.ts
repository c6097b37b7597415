import { join } from 'node:path'
import { digestFile } from '@flowers/shared/files'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { listOthers, openOthers, othersBeside } from './others.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
beforeAll(async () => {
  const bytes = 'bytes of a photo'
  folder = await testFolder({
    'not-ours/things/cat.jpg': bytes,
    'not-ours/plants/viola/1.jpg': bytes,
    'not-ours/names.csv': 'label\n',
    'empty/names.csv': 'label\n',
    'list.csv': 'path,label\nnot-ours/things/cat.jpg,cat\n',
  })
})
afterAll(() => folder.remove())

it('lists the photos of a folder in any depth, and nothing else', async () => {
  const others = await listOthers(join(folder.path, 'not-ours'))
  expect(others.map(({ id, origin }) => [id, origin.group, origin.species])).toEqual([
    ['plants/viola/1.jpg', 'plants', 'plants/viola'],
    ['things/cat.jpg', 'things', 'things/cat.jpg'],
  ])
})

it('lists those of a CSV', async () => {
  const others = await listOthers(join(folder.path, 'list.csv'))
  expect(others).toMatchObject([{ path: join(folder.path, 'not-ours/things/cat.jpg') }])
})

it('says where there is none', async () => {
  await expect(listOthers(join(folder.path, 'empty'))).rejects.toMatchObject({ code: 'DATA_EMPTY' })
  await expect(listOthers(join(folder.path, 'missing'))).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' })
})

it('takes the folder others of any split, with the groups in it', () => {
  const others = ['others/things/cat.jpg', 'train/others/a/b/1.jpg'].map((id) => ({ id, path: `/data/${id}` }))
  expect(othersBeside({ others }).map(({ origin }) => origin)).toEqual([
    { group: 'things', species: 'things/cat.jpg' },
    { group: 'a', species: 'a/b' },
  ])
})

it('refuses photos of the classes among those of others, whatever their names', async () => {
  const others = join(folder.path, 'not-ours')
  const files = new Map([['rose/1.jpg', await digestFile(join(others, 'things/cat.jpg'))]])
  await expect(openOthers(others, { others: [], files })).rejects.toMatchObject({
    code: 'DATA_OTHERS',
    message: expect.stringContaining('2 of the 2 photos of others are photos of the classes') as string,
  })
  const beside = [{ id: 'others/cat.jpg', path: join(others, 'things/cat.jpg') }]
  await expect(openOthers(undefined, { others: beside, files })).rejects.toMatchObject({ code: 'DATA_OTHERS' })
})

it('takes a photo once that is there under several names, as where others/ of the data is named again', async () => {
  const others = join(folder.path, 'not-ours')
  const beside = [{ id: 'others/cat.jpg', path: join(others, 'things/cat.jpg') }]
  const taken = await openOthers(others, { others: beside, files: new Map() })
  expect(taken.map(({ id }) => id)).toEqual(['others/cat.jpg'])
})
