import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDataset, openDataset } from '../dataset/dataset.ts'
import { oddNames } from '../testing/odd-names.ts'
import { testFolder } from '../testing/test-photos.ts'
import { readRunData } from './data-file.ts'

let folder: Awaited<ReturnType<typeof testFolder>>

beforeAll(async () => {
  folder = await testFolder({ 'run/.keep': '' })
})
afterAll(() => folder.remove())

it('counts the photos of every class, whatever its name', async () => {
  const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
  const rows = oddNames.flatMap((name, index) => [
    ...Array.from({ length: index + 1 }, (_, photo) => [`${index}-${photo}.jpg`, quoted(name), 'train']),
    [`${index}-valid.jpg`, quoted(name), 'valid'],
  ])
  for (const [path] of rows) await folder.write(path!, path!)
  await folder.write('names.csv', `path,label,split\n${rows.map((row) => row.join(',')).join('\n')}\n`)
  const dataset = await openDataset(join(folder.path, 'names.csv'), { seed: 1 })
  await folder.write('run/data.json', JSON.stringify({ source: 'names.csv', ...describeDataset(dataset), audit: null }))
  const { labels, counts } = await readRunData(join(folder.path, 'run'))
  expect(labels).toEqual(oddNames.toSorted())
  expect(oddNames.map((name) => counts.train.get(name))).toEqual(oddNames.map((_, index) => index + 1))
  expect(counts.valid).toEqual(new Map(labels.map((label) => [label, 1])))
})
