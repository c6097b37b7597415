import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeDataset, openDataset } from '../dataset/dataset.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'
import { testRecipe } from '../testing/test-recipe.ts'
import { readRunData, type RunData } from './data-file.ts'
import { openRunData, type RunDataOptions } from './run-data.ts'

const recipe = testRecipe('demo')
let folder: Awaited<ReturnType<typeof testFolder>>
let data: RunData

/** Eight photos of each of two classes, whose split the run made, and the `data.json` of it. */
beforeEach(async () => {
  folder = await testFolder({})
  for (const [place, label] of ['rose', 'daisy'].entries())
    for (let photo = 0; photo < 8; photo++)
      await folder.write(`photos/${label}/${photo}.jpg`, await testPhoto(10 * place + photo))
  data = await record({ seed: recipe.seed })
})
afterEach(() => folder.remove())

const photos = (): string => join(folder.path, 'photos')

async function record(options: { seed: number }): Promise<RunData> {
  const described = describeDataset(await openDataset(photos(), options))
  await folder.write('run/data.json', JSON.stringify({ source: photos(), excluded: [], ...described, audit: null }))
  return readRunData(join(folder.path, 'run'))
}

async function open(needs: RunDataOptions['needs'], path = photos()) {
  const said: string[] = []
  const dataset = await openRunData(path, { recipe, data }, { needs, log: (line) => said.push(line) })
  return { dataset, said: said.join('\n') }
}

const idsOf = (split: 'train' | 'valid'): string[] =>
  data.photos.filter((photo) => photo.split === split).map(({ id }) => id)

it('has the split and the order of the run, though photos and a class were added', async () => {
  const before = await openDataset(photos(), { seed: recipe.seed })
  for (let photo = 0; photo < 6; photo++) await folder.write(`photos/daisy/a${photo}.jpg`, await testPhoto(100 + photo))
  await folder.write('photos/aster/1.jpg', await testPhoto(200))
  const { dataset, said } = await open('all')
  expect(dataset.train).toEqual(before.train)
  expect(dataset.valid).toEqual(before.valid)
  expect(dataset).toMatchObject({ labels: ['daisy', 'rose'], sha256: before.sha256, splitBy: 'stratified' })
  expect(said).toBe(
    '7 new photos are not used: aster/1.jpg, daisy/a0.jpg, daisy/a1.jpg, daisy/a2.jpg, daisy/a3.jpg and 2 more',
  )
})

it('passes over what was left out of the run', async () => {
  data = { ...data, excluded: ['rose/spoilt.jpg'] }
  await folder.write('photos/rose/spoilt.jpg', 'no photo')
  expect((await open('all')).said).toBe('')
})

it('opens a run whose folder can no longer be listed', async () => {
  // Two folders of one label.
  await folder.write('photos/1-rose/1.jpg', await testPhoto(200))
  await folder.write('photos/2-rose/1.jpg', await testPhoto(201))
  expect((await open('all')).dataset.train).toHaveLength(idsOf('train').length)
})

it('does without training photos where it need not train, and names them', async () => {
  const [gone, other] = idsOf('train') as [string, string]
  await rm(join(photos(), gone))
  await writeFile(join(photos(), other), await testPhoto(300))
  const { dataset, said } = await open('validation')
  expect(dataset.train.map(({ id }) => id)).toEqual(idsOf('train').slice(2))
  expect(said).toContain(`1 photo of the run is missing and not used: ${gone}`)
  expect(said).toContain(`1 photo of the run is changed and not used: ${other}`)
  await expect(open('all')).rejects.toMatchObject({
    code: 'TRAIN_DATA_CHANGED',
    message: expect.stringMatching(new RegExp(`missing: ${gone}; changed: ${other}$`)),
  })
})

it('needs the validation photos', async () => {
  const [gone] = idsOf('valid') as [string]
  await rm(join(photos(), gone))
  for (const needs of ['all', 'validation'] as const)
    await expect(open(needs)).rejects.toMatchObject({
      code: 'TRAIN_DATA_CHANGED',
      message: expect.stringContaining(`missing: ${gone}`),
    })
})

it('says when it is another folder altogether', async () => {
  await expect(open('all', join(photos(), 'rose'))).rejects.toMatchObject({
    message: expect.stringContaining('has none of the 16 photos of this run'),
  })
  await expect(open('all', join(folder.path, 'nowhere'))).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' })
})

it('finds the photos of a listing, and those that it labels otherwise now', async () => {
  const line = ({ id, label, split }: RunData['photos'][number]): string => `photos/${id},${label},${split}`
  const csv = join(folder.path, 'photos.csv')
  await writeFile(csv, `path,label,split\n${data.photos.map(line).join('\n')}\n`)
  const described = describeDataset(await openDataset(csv, { seed: recipe.seed }))
  await folder.write('run/data.json', JSON.stringify({ source: csv, excluded: [], ...described, audit: null }))
  data = await readRunData(join(folder.path, 'run'))
  expect((await open('all', csv)).said).toBe('')
  const rows = data.photos.map(({ id, ...photo }) => line({ ...photo, id: id.replace('photos/', '') }))
  const place = data.photos.findIndex(({ label }) => label === 'rose')
  const changed = rows.with(place, rows[place]!.replace(',rose,', ',daisy,'))
  await writeFile(csv, `path,label,split\n${changed.join('\n')}\n`)
  await expect(open('all', csv)).rejects.toMatchObject({
    message: expect.stringContaining(`of another label now: ${data.photos[place]!.id}`),
  })
})

it('opens older runs, which do not list their photos or the splits of them, as long as nothing changed', async () => {
  const whole = data
  for (const listed of [[], whole.photos.map(({ id, sha256 }) => ({ id, sha256 }))]) {
    data = { ...whole, photos: listed }
    expect((await open('all')).dataset.sha256).toBe(whole.sha256)
  }
  await rename(join(photos(), 'rose/0.jpg'), join(photos(), 'rose/z.jpg'))
  await expect(open('all')).rejects.toMatchObject({
    code: 'TRAIN_DATA_CHANGED',
    message: expect.stringMatching(/changed or missing: rose\/0\.jpg; new: rose\/z\.jpg$/),
  })
})
