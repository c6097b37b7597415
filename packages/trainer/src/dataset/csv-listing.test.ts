import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { makePipe } from '../testing/odd-files.ts'
import { testFolder } from '../testing/test-photos.ts'
import { readCsv } from './csv-listing.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function listed(names: readonly string[], csv: string | Uint8Array) {
  const files = Object.fromEntries(names.map((name) => [name, 'any bytes']))
  const folder = await testFolder({ ...files, 'list.csv': csv })
  cleanups.push(folder.remove)
  return { folder, read: () => readCsv(join(folder.path, 'list.csv')) }
}

const rows = 'path,label,split\nred/1.jpg,rosé,train\nblue/2.jpg,b,val\n'
const expected = [
  ['red/1.jpg', 'rosé', 'train'],
  ['blue/2.jpg', 'b', 'valid'],
]
const utf16 = Buffer.from(`\ufeff${rows}`, 'utf16le')

it.each<[string, string | Uint8Array]>([
  ['with semicolons', rows.replaceAll(',', ';')],
  ['with tabs', rows.replaceAll(',', '\t')],
  ['as Excel marks it', `sep=;\r\n${rows.replaceAll(',', ';').replaceAll('\n', '\r\n')}`],
  ['with line ends of the old Macintosh', rows.replaceAll('\n', '\r')],
  ['in UTF-16', utf16],
  ['in UTF-16 of the other order of bytes', Buffer.from(utf16).swap16()],
  ['in UTF-16 without a mark', utf16.subarray(2)],
  ['with a header in capitals', rows.replace('path,label,split', 'Path,LABEL,Split')],
  ['with spaces around fields', rows.replaceAll(',', ' , ').replaceAll('\n', ' \n')],
  ['with spellings of the splits', rows.replace('train', 'Training').replace('val', 'VALIDATION')],
  ['with paths of Windows', rows.replaceAll('/', '\\')],
  ['with ./ before the paths', rows.replaceAll(/^(red|blue)/gm, './$1')],
  ['with // in the paths', rows.replaceAll('/', '//')],
])('a CSV is read %s', async (_, csv) => {
  const { read } = await listed(['red/1.jpg', 'blue/2.jpg'], csv)
  const { photos, passedOver } = await read()
  expect(photos.map(({ id, className, split }) => [id, className, split])).toEqual(expected)
  expect(passedOver).toEqual([])
})

it('says why the CSV itself cannot be read', async () => {
  const { folder } = await listed([], '')
  // A test may run as the superuser, who may read everything: a folder stands for a file that may not be read.
  await expect(readCsv(folder.path)).rejects.toMatchObject({
    code: 'DATA_UNREADABLE',
    message: `"${folder.path}" cannot be read: it is a folder.`,
  })
})

it('takes absolute paths', async () => {
  const { folder, read } = await listed(['a.jpg'], '')
  await folder.write('list.csv', `path,label\n${join(folder.path, 'a.jpg')},a\n`)
  expect((await read()).photos).toMatchObject([{ id: 'a.jpg', className: 'a' }])
})

it.each([
  ['NFC', 'NFD'],
  ['NFD', 'NFC'],
])('finds paths in %s that the disk has in %s', async (written, stored) => {
  const name = 'Bl\u00fcte/\u00e9t\u00e9 1.jpg'
  const { read } = await listed([name.normalize(stored)], `path,label\n${name.normalize(written)},a\n`)
  const { photos } = await read()
  // A disk that knows one form alone, as that of macOS, finds the other by itself.
  expect(photos.map(({ id }) => id.normalize('NFC'))).toEqual([name])
  expect(photos[0]!.path.normalize('NFC')).toContain(name)
})

it('tells one file in two spellings', async () => {
  const name = '\u00e9.jpg'
  const csv = `path,label\n${name.normalize('NFC')},a\n${name.normalize('NFD')},b\n`
  const { read } = await listed([name.normalize('NFC')], csv)
  await expect(read()).rejects.toMatchObject({
    code: 'DATA_CSV',
    message: expect.stringMatching(/line 3: .*line 2/) as string,
  })
})

it('passes over pipes, links in circles and previews, and opens none', async () => {
  const csv = 'path,label\n1.jpg,a\npipe.jpg,a\nself.jpg,b\n@eaDir/1.jpg,a\n.store/2.jpg,c\n'
  const { folder, read } = await listed(['1.jpg', '@eaDir/1.jpg', '.store/2.jpg'], csv)
  await makePipe(join(folder.path, 'pipe.jpg'))
  await symlink('self.jpg', join(folder.path, 'self.jpg'))
  const { photos, passedOver, emptyClasses } = await read()
  expect(photos.map(({ id }) => id)).toEqual(['1.jpg', '.store/2.jpg'])
  expect(passedOver).toEqual([
    { id: 'pipe.jpg', reason: 'a pipe', system: false },
    { id: 'self.jpg', reason: 'it is a link that leads in a circle', system: false },
    { id: '@eaDir/1.jpg', reason: 'made by a system or a program', system: true },
  ])
  expect(emptyClasses).toEqual([{ id: 'b', reason: 'holds no photo' }])
})

it.each<[string, string | Uint8Array, string, RegExp]>([
  [
    'in Latin-1',
    Buffer.from('path,label\na.jpg,ros\xe9\n', 'latin1'),
    'DATA_CSV',
    /not UTF-8 text; save it as "CSV UTF-8"/,
  ],
  ['that is a spreadsheet', Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0]), 'DATA_CSV', /a spreadsheet or an archive/],
  ['in cut UTF-16', utf16.subarray(0, 31), 'DATA_CSV', /not UTF-16 text/],
  ['of a folder', 'path,label\nred,a\n', 'DATA_PHOTO_MISSING', /line 2: there is no file "red"\.$/],
  ['of a drive', 'path,label\nC:\\photos\\a.jpg,a\n', 'DATA_PHOTO_MISSING', /a path of Windows: write it relative/],
  ['with sep= and another header', 'sep=;\nfile;class\n', 'DATA_CSV', /line 2: the header is "file;class"/],
])('a CSV %s gets a sentence', async (_, csv, code, message) => {
  const { read } = await listed(['red/1.jpg'], csv)
  await expect(read()).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
})
