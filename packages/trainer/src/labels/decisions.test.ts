import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { compareText, type ListedPhoto } from '../dataset/listed-photo.ts'
import { oddNames } from '../testing/odd-names.ts'
import { testFolder } from '../testing/test-photos.ts'
import { readDecisions } from './decisions.ts'
import { doubtfulCsv } from './doubtful-csv.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const photo = (id: string, label: string): ListedPhoto => ({ id, label, path: `/photos/${id}`, split: undefined })

const photos = [
  photo('rose/1.jpg', 'rose'),
  photo('rose/2.jpg', 'rose'),
  photo('tulip/1.jpg', 'tulip'),
  photo('tulip/né, "2".jpg', 'tulip'),
  photo('tulip/line\r\nbreak.jpg', 'tulip'),
]

async function decided(text: string | Uint8Array, of = photos) {
  const folder = await testFolder({ 'labels.csv': text })
  cleanups.push(folder.remove)
  return readDecisions(join(folder.path, 'labels.csv'), of)
}

const rows = [
  ['rose/1.jpg', 'rose', 'tulip', '0.9', 'tulip'],
  ['rose/2.jpg', 'rose', 'tulip', '0.8', ' DROP '],
  ['tulip/1.jpg', 'tulip', 'rose', '0.7', ''],
  ['tulip/né, "2".jpg', 'tulip', 'rose', '0.6', 'new: lily'],
  ['tulip/line\r\nbreak.jpg', 'tulip', 'rose', '0.5', 'rose'],
]
const cell = (text: string): string => (/[",;\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const csv = (separator: string, end: string, all = rows): string =>
  [['path', 'label', 'likely_label', 'confidence', 'decision'], ...all]
    .map((row) => row.map(cell).join(separator))
    .join(end) + end

const expected = new Map([
  ['rose/1.jpg', 'tulip'],
  ['rose/2.jpg', null],
  ['tulip/né, "2".jpg', 'lily'],
  ['tulip/line\r\nbreak.jpg', 'rose'],
])

describe('decisions', () => {
  it.each<[string, string | Uint8Array]>([
    ['as they were written', csv(',', '\n')],
    ['as Excel saves them in Europe', `\ufeff${csv(';', '\r\n')}`],
    ['as Excel saves Unicode text', Buffer.from(`\ufeff${csv('\t', '\r\n')}`, 'utf16le')],
    ['in another order', csv(',', '\n', rows.toReversed())],
    ['with the other Unicode form of letters', csv(',', '\n').normalize('NFD')],
    ['with other line ends in names', csv(',', '\n').replace('line\r\nbreak', 'line\nbreak')],
    ['without what is empty at the end of rows', csv(',', '\n').replace('0.7,\n', '0.7\n')],
    [
      'with columns of the person',
      csv(
        ',',
        '\n',
        rows.map((row) => [...row, 'seen']),
      ).replace('decision\n', 'Decision,by\n'),
    ],
  ])('are read %s', async (_, text) => {
    const { of, fresh, unknown } = await decided(text)
    expect(of).toEqual(expected)
    expect(fresh).toEqual(['lily'])
    expect(unknown).toEqual([])
  })

  it('leave out what is so already, and name paths of no photo', async () => {
    const { of, unknown } = await decided('decision,path\nrose,rose/1.jpg\ntulip,gone.jpg\n')
    expect(of.size).toBe(0)
    expect(unknown).toEqual(['gone.jpg'])
  })

  it('take the name that a class folder has', async () => {
    const { of } = await decided('path,decision\nrose/1.jpg,012-tulip\n')
    expect([...of]).toEqual([['rose/1.jpg', 'tulip']])
  })

  it.each([
    [
      'path,decision\nrose/2.jpg,\nrose/1.jpg,tulp\n',
      'line 3: "tulp" is no label of the data; is "tulip" meant? A new one is written new:tulp.',
    ],
    [
      'path,decision\nrose/1.jpg,orchid\n',
      'line 2: "orchid" is no label of the data. A new one is written new:orchid.',
    ],
    ['path,decision\nrose/1.jpg,new:\n', 'line 2: "new:" has no label after it.'],
    [
      'path,decision\nrose/1.jpg,drop\nrose/1.jpg,tulip\n',
      'line 3: "rose/1.jpg" is already on line 2, with another decision.',
    ],
    ['path,label\nrose/1.jpg,rose\n', 'line 1: the header has no column "path" or none "decision"'],
    ['path,decision\na.jpg,drop\n', 'None of the paths'],
  ])('that cannot be carried out are refused: %j', async (text, words) => {
    await expect(decided(text)).rejects.toMatchObject({
      code: 'LABELS_DECISION',
      message: expect.stringContaining(words) as string,
    })
  })

  it('of an encoding that does not say what it is are refused', async () => {
    await expect(decided(Buffer.from('path,decision\nros\xe9.jpg,drop\n', 'latin1'))).rejects.toMatchObject({
      code: 'DATA_CSV',
      message: expect.stringContaining('save it as "CSV UTF-8"') as string,
    })
  })

  it('ask which is meant where a class is called drop', async () => {
    const of = [...photos, photo('drop/1.jpg', 'drop')]
    await expect(decided('path,decision\nrose/1.jpg,drop\n', of)).rejects.toMatchObject({ code: 'LABELS_DECISION' })
    expect((await decided('path,decision\nrose/1.jpg,new:drop\n', of)).of).toEqual(new Map([['rose/1.jpg', 'drop']]))
  })
})

it('a list of odd names is read again as it was written', async () => {
  const odd = oddNames.map((name, index) => photo(`${name}/${index}.jpg`, name))
  const labels = [...oddNames].toSorted(compareText)
  const written = doubtfulCsv(
    odd.map(({ id, path, label }) => ({
      photo: {
        sample: { id, path, label, index: labels.indexOf(label) },
        split: 'train',
        scores: labels.map(() => 1 / labels.length),
      },
      suggested: 0,
    })),
    labels,
  )
  const { of, unknown } = await decided(written.replaceAll(/,0\.0476,/g, ',0.0476,drop'), odd)
  expect(unknown).toEqual([])
  expect([...of.keys()]).toEqual(odd.map(({ id }) => id))
})
