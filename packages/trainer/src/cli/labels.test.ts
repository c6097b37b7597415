import { mkdir, readdir, readFile, rename, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseHTML } from 'linkedom'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { drawFlowers } from '../drawn/drawn-flowers.ts'
import { weightsForTest } from '../testing/test-network.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'
import { trainerHere } from '../testing/trainer-here.ts'

// Looked for in the cache of the person; what the test remembers goes elsewhere.
const weights = await weightsForTest('efficientnet_lite0')

let folder: Awaited<ReturnType<typeof testFolder>>
const at = (...path: string[]): string => join(folder.path, ...path)

beforeAll(async () => {
  folder = await testFolder({
    'flowers/train/012-rose/1.jpg': await testPhoto(1),
    'flowers/train/tulip/2.jpg': await testPhoto(2),
    'flowers/valid/tulip/3.jpg': await testPhoto(3),
    'flowers/others/thing.jpg': await testPhoto(4),
    'labels.csv': 'path;decision\r\ntrain/tulip/2.jpg;rose\r\nvalid/tulip/3.jpg;drop\r\ngone.jpg;drop\r\n',
    'splits/train/rose/1.jpg': await testPhoto(1),
    'splits/train/others/things/2.jpg': await testPhoto(2),
    'splits/valid/rose/4.jpg': await testPhoto(4),
    'splits/valid/others/3.jpg': await testPhoto(3),
    'splits.csv': 'path,decision\ntrain/rose/1.jpg,\n',
    'wrong.csv': 'path,decision\ntrain/tulip/2.jpg,rosse\n',
  })
  vi.stubEnv('INIT_CWD', folder.path)
  vi.stubEnv('FLOWERS_CACHE', at('cache'))
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await folder.remove()
})

const dataLabels = (...args: string[]) => trainerHere('data', 'labels', ...args)

describe('what a person decided', () => {
  it('is carried out beside the list, and the photos stay', async () => {
    const before = await readFile(at('flowers/valid/tulip/3.jpg'))
    const { code, output } = await dataLabels('--data', 'flowers', '--apply', 'labels.csv')
    expect(code).toBe(0)
    expect(output).toContain('1 label changed and 1 photo left out; 2 photos in corrected.csv')
    expect(output).toContain('no photo is left of: tulip')
    expect(output).toContain('1 path of labels.csv not among the photos, so nothing was done for: gone.jpg')
    expect(output).toContain('train --data corrected.csv --others flowers/others --name mine')
    expect(await readFile(at('corrected.csv'), 'utf8')).toBe(
      'path,label,split\nflowers/train/012-rose/1.jpg,rose,train\nflowers/train/tulip/2.jpg,rose,train\n',
    )
    expect(await readFile(at('flowers/valid/tulip/3.jpg'))).toEqual(before)
  })

  it('names the folder of others where it is in one of a split, and never that of the photos', async () => {
    const { output } = await dataLabels('--data', 'splits', '--apply', 'splits.csv')
    expect(output).toContain('train --data corrected.csv --others splits/train/others --name mine')
    expect(output).toContain('photos of others are also in splits/valid/others')
  })

  it.each([
    [['--data', 'flowers', '--apply', 'wrong.csv'], 'LABELS_DECISION', 'is "rose" meant?', 1],
    [['--data', 'flowers', '--apply', 'nope.csv'], 'DATA_UNREADABLE', 'it is not there', 1],
    [['--data', 'nope', '--apply', 'labels.csv'], 'DATA_NOT_FOUND', 'nope', 2],
    [['--data', 'flowers', '--out', 'flowers/labels'], 'USAGE', 'lies among the photos', 2],
    [['--data', 'flowers', '--out', '.'], 'USAGE', 'what was filled in would be lost', 2],
  ])('%j is refused', async (args, error, words, exit) => {
    const { code, output } = await dataLabels(...args)
    expect(output).toContain(`(${error})`)
    expect(output).toContain(words)
    expect(code).toBe(exit)
  })
})

describe.skipIf(weights.missing !== '')(`a list${weights.missing && `: ${weights.missing}`}`, () => {
  let result: Awaited<ReturnType<typeof dataLabels>>
  beforeAll(async () => {
    await drawFlowers(at('drawn'), { species: 2, train: 8, valid: 4, size: 48, seed: 3 })
    await mkdir(at('cache', 'weights'), { recursive: true })
    await symlink(weights.path, at('cache', 'weights', basename(weights.path)))
    const [first, second] = (await readdir(at('drawn/train'))).toSorted()
    const [moved] = await readdir(at('drawn/train', first!))
    await rename(at('drawn/train', first!, moved!), at('drawn/train', second!, 'planted.jpg'))
    await folder.write('drawn/train/broken/1.jpg', 'no photo')
    await folder.write('drawn/train/<i>alone</i>/1.jpg', await testPhoto(9))
    result = await dataLabels('--data', 'drawn', '--out', 'list')
  })

  it('has a row for each photo in doubt, and says what it did not judge', async () => {
    expect(result.code).toBe(0)
    expect(result.output).toMatch(/^\d+ labels? of 24 photos in doubt/m)
    expect(result.output).toContain('1 photo cannot be decoded and was not judged: train/broken/1.jpg')
    expect(result.output).toContain('1 photo is the only one of its class, copies apart, and cannot be judged')
    const [header, ...rows] = (await readFile(at('list', 'labels.csv'), 'utf8')).trim().split('\n')
    expect(header).toBe('path,label,likely_label,confidence,decision')
    expect(result.output).toContain(`${rows.length} label`)
    expect(rows[0]).toContain('/planted.jpg,')
    for (const row of rows) expect(row).toMatch(/^(train|valid)\/.*,[01]\.\d{4},$/)
  })

  it('has a page that shows them in the same order and needs nothing besides itself', async () => {
    const text = await readFile(at('list', 'labels.html'), 'utf8')
    const { document } = parseHTML(text)
    const paths = [...document.querySelectorAll('ol h3 code')].map(({ textContent }) => textContent)
    const rows = (await readFile(at('list', 'labels.csv'), 'utf8')).trim().split('\n').slice(1)
    expect(paths).toEqual(rows.map((row) => row.split(',')[0]))
    expect(text).not.toContain('<i>alone')
    for (const image of document.querySelectorAll('img')) {
      expect(image.getAttribute('src')).toMatch(/^data:image\/webp;base64,/)
      expect(image.getAttribute('alt')).not.toBe('')
    }
    expect(text).not.toMatch(/<script|https?:\/\/(?!arxiv)/)
  })

  it('is the same again from what is remembered', async () => {
    const before = await readFile(at('list', 'labels.csv'), 'utf8')
    const again = await dataLabels('--data', 'drawn', '--out', 'again')
    expect(again.code).toBe(0)
    expect(await readFile(at('again', 'labels.csv'), 'utf8')).toBe(before)
  })
})
