import { readdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { FeatureStore } from './feature-store.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
beforeEach(async () => {
  folder = await testFolder({})
})
afterEach(() => folder.remove())

const place = () => ({ cache: folder.path, root: '/photos', key: 'a network', width: 3 })
const vector = (value: number) => Float32Array.of(value, value + 1, value + 2)

async function filled(): Promise<string> {
  const store = await FeatureStore.open(place())
  store.add('aa', vector(1))
  store.add('bb', vector(5))
  await store.save()
  const [name] = await readdir(join(folder.path, 'features'))
  return join(folder.path, 'features', name!)
}

it('remembers, and adds to what it remembers', async () => {
  await filled()
  const again = await FeatureStore.open(place())
  expect(again.get('bb')).toEqual(vector(5))
  expect(again.get('cc')).toBeUndefined()
  again.add('cc', vector(9))
  await again.save()
  const third = await FeatureStore.open(place())
  expect(['aa', 'bb', 'cc'].map((hash) => third.get(hash))).toEqual([vector(1), vector(5), vector(9)])
})

it('keeps apart what other networks say, and other folders', async () => {
  await filled()
  for (const other of [{ key: 'another' }, { root: '/elsewhere' }, { cache: null }])
    expect((await FeatureStore.open({ ...place(), ...other })).get('aa')).toBeUndefined()
})

it.each<[string, (file: string) => Promise<void>]>([
  ['cut off', (file) => truncate(file, 200)],
  ['no such file', (file) => writeFile(file, 'something else')],
])('begins anew where its file is %s', async (_, spoil) => {
  await spoil(await filled())
  const store = await FeatureStore.open(place())
  expect(store.get('aa')).toBeUndefined()
  store.add('aa', vector(2))
  await store.save()
  expect((await FeatureStore.open(place())).get('aa')).toEqual(vector(2))
})

it('works where nothing can be written', async () => {
  await folder.write('features', 'a file in the place of the folder')
  const store = await FeatureStore.open(place())
  store.add('aa', vector(1))
  await store.save()
  expect(store.get('aa')).toEqual(vector(1))
})
