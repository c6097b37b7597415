import { readdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { FlowersError } from '@flowers/shared/errors'
import sharp from 'sharp'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { auditDataset, formatAudit, requireNoErrors, withoutOffenders, type Audit } from './audit.ts'
import { openDataset } from './dataset.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

let photo: Buffer[]
beforeAll(async () => {
  photo = await Promise.all(Array.from({ length: 12 }, (_, index) => testPhoto(index, 160, 120)))
})

async function auditOf(files: Record<string, Uint8Array>, options: { minimumSize?: number; cache?: string } = {}) {
  const base = {
    'train/a/ok.jpg': photo[0]!,
    'train/b/ok.jpg': photo[1]!,
    'valid/a/ok.jpg': photo[2]!,
    'valid/b/ok.jpg': photo[3]!,
  }
  const folder = await testFolder({ ...base, ...files })
  cleanups.push(folder.remove)
  const { minimumSize = 16, cache } = options
  const dataset = await openDataset(folder.path, { seed: 1, ...(cache && { cache }) })
  const audit = await auditDataset(dataset, { minimumSize })
  return { folder, dataset, audit }
}

const found = (audit: Audit) => audit.problems.map(({ kind, ids }) => [kind, ...ids])

describe('auditDataset', () => {
  it('finds no flaw in good photos of all formats, and that they look the same', async () => {
    const image = sharp(photo[4])
    const { audit } = await auditOf({
      'train/a/1.png': await image.clone().png().toBuffer(),
      'train/a/2.webp': await image.clone().webp().toBuffer(),
      'train/a/3.tiff': await image.clone().tiff().toBuffer(),
      'train/a/4.gif': await image.clone().gif().toBuffer(),
      'train/a/5.avif': await image.clone().avif({ effort: 0 }).toBuffer(),
      'train/a/6.jpg': await image.clone().jpeg({ progressive: true }).toBuffer(),
    })
    const copies = Array.from({ length: 6 }, (_, index) => expect.stringContaining(`train/a/${index + 1}.`) as string)
    expect(found(audit)).toEqual([['nearDuplicate', ...copies]])
    expect(audit).toMatchObject({
      checked: 10,
      classes: 2,
      errors: 0,
      warnings: 0,
      counts: { train: 8, valid: 2, test: 0 },
      perClass: [1, 7],
      offenders: [],
    })
    requireNoErrors(audit)
  })

  it('tells broken photos: truncated to any extent, no image, nothing, a link to nowhere', async () => {
    const image = sharp(photo[4])
    const progressive = await image.clone().jpeg({ progressive: true }).toBuffer()
    const png = await image.clone().png().toBuffer()
    const webp = await image.clone().webp().toBuffer()
    const cut = (bytes: Buffer, share: number) => bytes.subarray(0, Math.floor(bytes.length * share))
    const folder = await testFolder({
      'train/a/ok.jpg': photo[0]!,
      'valid/a/ok.jpg': photo[1]!,
      'train/b/ok.jpg': photo[2]!,
      'valid/b/ok.jpg': photo[3]!,
      'train/b/half.jpg': cut(photo[4]!, 0.5),
      'train/b/tail.jpg': photo[5]!.subarray(0, -12),
      'train/b/progressive.jpg': cut(progressive, 0.6),
      'train/b/half.png': cut(png, 0.5),
      'train/b/half.webp': cut(webp, 0.5),
      'train/b/header.jpg': photo[6]!.subarray(0, 60),
      'train/b/text.jpg': Buffer.from('not a photo at all, whatever it says'),
      'train/b/drawing.jpg': Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>'),
      'train/b/nothing.jpg': Buffer.alloc(0),
    })
    cleanups.push(folder.remove)
    await symlink(join(folder.path, 'gone.jpg'), join(folder.path, 'train/b/link.jpg'))
    const dataset = await openDataset(folder.path, { seed: 1 })
    const audit = await auditDataset(dataset, { minimumSize: 16 })
    const kindOf = Object.fromEntries(audit.problems.map(({ kind, ids }) => [ids[0]!.split('/')[2], kind]))
    expect(kindOf).toMatchObject({
      'half.jpg': 'truncated',
      'tail.jpg': 'truncated',
      'progressive.jpg': 'truncated',
      'text.jpg': 'unreadable',
      'drawing.jpg': 'unreadable',
      'nothing.jpg': 'unreadable',
      'link.jpg': 'unreadable',
    })
    // Which of the two depends on how much of the format's decoder gives out.
    for (const name of ['half.png', 'half.webp', 'header.jpg']) expect(kindOf[name]).toMatch(/^(truncated|unreadable)$/)
    expect(audit.errors).toBe(10)
    expect(audit.offenders).toHaveLength(10)
    expect(() => requireNoErrors(audit)).toThrow(expect.objectContaining({ code: 'DATA_AUDIT' }) as FlowersError)
    const rest = withoutOffenders(dataset, audit)
    expect(rest.excluded).toEqual(audit.offenders)
    expect(rest.dataset.train.map(({ id }) => id)).toEqual(['train/a/ok.jpg', 'train/b/ok.jpg'])
    expect((await auditDataset(rest.dataset, { minimumSize: 16 })).errors).toBe(0)
  })

  it('tells what was passed over and which classes are empty, and counts photos of others/', async () => {
    const { folder, audit } = await auditOf({
      'train/a/loop/@eaDir/ok.jpg': photo[4]!,
      'train/c/notes.txt': Buffer.from('no photo'),
      'others/anything.jpg': photo[5]!,
    })
    await symlink('..', join(folder.path, 'train/a/loop/up'))
    const again = await auditDataset(await openDataset(folder.path, { seed: 1 }), { minimumSize: 16 })
    expect(found(audit)).toEqual([['emptyClass', 'train/c'], ['notPhoto', 'train/c/notes.txt'], ['systemMade']])
    expect(found(again)).toContainEqual(['passedOver', 'train/a/loop/up'])
    expect(again).toMatchObject({ checked: 4, classes: 2, errors: 0, warnings: 3, others: 1, offenders: [] })
    const text = formatAudit(again)
    expect(text).toContain('\n1 photo of others/, of no class\n')
    expect(text).toContain('train/c  holds no photo; 1 file of another kind, such as notes.txt')
    expect(text).toContain('which leads in a circle')
    expect(text).toContain('1 file or folder that systems make: @eaDir')
  })

  it('tells flaws that do not stop a decoder, and small photos, as warnings', async () => {
    const stray = Buffer.from(photo[4]!)
    const scan = stray.indexOf(Buffer.from([0xff, 0xda]))
    const flawed = Buffer.concat([stray.subarray(0, scan), Buffer.from([0x12, 0x34, 0x56]), stray.subarray(scan)])
    const { audit } = await auditOf({ 'train/a/stray.jpg': flawed, 'train/a/small.jpg': await testPhoto(30, 100, 15) })
    expect(found(audit)).toEqual([
      ['tooSmall', 'train/a/small.jpg'],
      ['flawed', 'train/a/stray.jpg'],
    ])
    expect(audit).toMatchObject({ errors: 0, warnings: 2, offenders: [] })
    requireNoErrors(audit)
  })

  it('tells copies within a class, across splits and across classes, and leaves the right ones out', async () => {
    const { audit, dataset } = await auditOf({
      'train/a/same 1.jpg': photo[4]!,
      'train/a/same 2.jpg': photo[4]!,
      'train/a/leak.jpg': photo[5]!,
      'valid/a/leak.jpg': photo[5]!,
      'test/a/leak.jpg': photo[6]!,
      'valid/b/leak.jpg': photo[6]!.subarray(0),
      'train/a/either.jpg': photo[7]!,
      'train/b/or.jpg': photo[7]!,
      'valid/a/kept.jpg': photo[8]!,
      'test/a/kept.jpg': photo[8]!,
    })
    expect(found(audit)).toEqual([
      ['acrossClasses', 'train/a/either.jpg', 'train/b/or.jpg'],
      ['acrossClasses', 'valid/b/leak.jpg', 'test/a/leak.jpg'],
      ['acrossSplits', 'train/a/leak.jpg', 'valid/a/leak.jpg'],
      ['acrossSplits', 'valid/a/kept.jpg', 'test/a/kept.jpg'],
      ['duplicate', 'train/a/same 1.jpg', 'train/a/same 2.jpg'],
    ])
    expect(audit).toMatchObject({ errors: 4, warnings: 1 })
    expect([...audit.offenders].toSorted()).toEqual([
      'test/a/leak.jpg',
      'train/a/either.jpg',
      'train/a/leak.jpg',
      'train/b/or.jpg',
      'valid/a/kept.jpg',
      'valid/b/leak.jpg',
    ])
    expect((await auditDataset(withoutOffenders(dataset, audit).dataset, { minimumSize: 16 })).errors).toBe(0)
  })

  it('reports classes that are not validated and files that are no photos', async () => {
    const { audit } = await auditOf({ 'train/c/1.jpg': photo[4]!, 'train/c/notes.txt': Buffer.from('hello') })
    expect(audit.problems).toEqual([
      { kind: 'notPhoto', ids: ['train/c/notes.txt'], detail: '' },
      { kind: 'notValidated', ids: [], detail: 'c' },
    ])
  })

  it('says which classes may be one under two names, and how many photos each has', async () => {
    const { audit } = await auditOf({
      'train/A/1.jpg': photo[4]!,
      'train/A/2.jpg': photo[5]!,
      'valid/A/3.jpg': photo[6]!,
    })
    expect(audit.problems).toEqual([
      {
        kind: 'twinLabels',
        ids: [],
        detail: expect.stringMatching(
          /^"A" \(3 photos\) and "a" \(2 photos\) differ in capital letters alone: if /,
        ) as string,
      },
    ])
    expect(audit).toMatchObject({ classes: 3, errors: 0, warnings: 1 })
  })

  it('says that the validation photos of a class have errors', async () => {
    const { audit } = await auditOf({ 'valid/a/ok.jpg': Buffer.from('text') })
    expect(audit.problems.at(-1)).toEqual({ kind: 'notValidated', ids: [], detail: 'a: 1 of 1 cannot be used' })
  })

  it('counts up to the number of photos while it works', async () => {
    const { dataset } = await auditOf({})
    const seen: number[] = []
    await auditDataset(dataset, { minimumSize: 16, onProgress: (done, total) => seen.push(done / total) })
    expect(seen).toEqual([0.25, 0.5, 0.75, 1])
  })

  it('tells near-duplicates within a class, across splits and across classes, and leaves them in', async () => {
    const other = (index: number, quality: number) => sharp(photo[index]).resize(120, 90).jpeg({ quality }).toBuffer()
    const { audit } = await auditOf({
      'train/a/4.jpg': photo[4]!,
      'train/a/4 small.jpg': await other(4, 80),
      'train/a/4 small again.jpg': await other(4, 80),
      'train/a/5.jpg': photo[5]!,
      'valid/a/5 small.jpg': await other(5, 90),
      'train/a/6.jpg': photo[6]!,
      'valid/b/6 small.jpg': await other(6, 60),
      'train/b/7.jpg': photo[7]!,
    })
    expect(found(audit)).toEqual([
      ['nearAcrossClasses', 'train/a/6.jpg', 'valid/b/6 small.jpg'],
      ['nearAcrossSplits', 'train/a/5.jpg', 'valid/a/5 small.jpg'],
      ['duplicate', 'train/a/4 small again.jpg', 'train/a/4 small.jpg'],
      ['nearDuplicate', 'train/a/4 small again.jpg', 'train/a/4 small.jpg', 'train/a/4.jpg'],
    ])
    expect(audit).toMatchObject({ errors: 0, warnings: 3, offenders: [] })
  })

  it('remembers verified photos by content, and only those', async () => {
    const folder = await testFolder({})
    cleanups.push(folder.remove)
    const cache = join(folder.path, 'cache')
    const broken = photo[5]!.subarray(0, 900)
    const copies = { 'train/a/broken.jpg': broken, 'valid/a/small.jpg': await sharp(photo[0]).resize(80).toBuffer() }
    const first = await auditOf(copies, { cache })
    expect(found(first.audit)).toEqual([
      ['truncated', 'train/a/broken.jpg'],
      ['nearAcrossSplits', 'train/a/ok.jpg', 'valid/a/small.jpg'],
    ])
    // Files that change behind the cache's back: their hashes are those of verified photos.
    const again = await openDataset(first.folder.path, { seed: 1, cache })
    for (const name of ['train/a/ok.jpg', 'valid/a/small.jpg']) await first.folder.write(name, 'rubbish')
    expect(await auditDataset(again, { minimumSize: 16 })).toEqual(first.audit)
    const reopened = await openDataset(first.folder.path, { seed: 1, cache })
    expect(found(await auditDataset(reopened, { minimumSize: 121 }))).toEqual([
      ['unreadable', 'train/a/ok.jpg'],
      ['unreadable', 'valid/a/small.jpg'],
      ['truncated', 'train/a/broken.jpg'],
      ['acrossSplits', 'train/a/ok.jpg', 'valid/a/small.jpg'],
      ['tooSmall', 'train/b/ok.jpg'],
      ['tooSmall', 'valid/a/ok.jpg'],
      ['tooSmall', 'valid/b/ok.jpg'],
    ])
    for (const name of await readdir(join(cache, 'photos'))) await folder.write(`cache/photos/${name}`, '{"version":0}')
    const forgotten = await openDataset(first.folder.path, { seed: 1, cache })
    expect((await auditDataset(forgotten, { minimumSize: 16 })).errors).toBe(4)
  })
})

describe('withoutOffenders', () => {
  const nothingLeft = (message: RegExp) =>
    expect.objectContaining({
      code: 'DATA_NOTHING_LEFT',
      message: expect.stringMatching(message) as string,
    }) as FlowersError

  it('says what is wrong with the photos of a class that has no others, and what else was found', async () => {
    const { audit, dataset } = await auditOf({
      'train/a/ok.jpg': Buffer.from('text'),
      'train/a/cut.jpg': photo[4]!.subarray(0, -12),
      'train/b/text.jpg': Buffer.from('text'),
    })
    const told: string[] = []
    expect(() => withoutOffenders(dataset, audit, (text) => told.push(text))).toThrow(
      nothingLeft(
        /^The audit leaves no photo of "a" to train on: 1 of 2 cannot be decoded to the end, 1 of 2 cannot be decoded\.$/,
      ),
    )
    expect(told).toEqual([formatAudit(audit)])
  })

  it('says the same of validation, and of every class', async () => {
    const text = Buffer.from('text')
    const { audit, dataset } = await auditOf({
      'train/a/ok.jpg': text,
      'train/b/ok.jpg': text,
      'valid/a/ok.jpg': text,
      'valid/b/ok.jpg': text,
    })
    expect(() => withoutOffenders(dataset, audit)).toThrow(
      nothingLeft(/"a": 2 of 2 cannot.*\n.*"b": 2 of 2.*\n.*to validate on: 2 of 2 cannot/),
    )
  })
})

describe('formatAudit', () => {
  it('lets no name steer a terminal', async () => {
    const { audit } = await auditOf({ 'train/a/\u001b[2J\n.jpg': Buffer.from('text') })
    expect(formatAudit(audit)).toContain(String.raw`train/a/\x1b[2J\n.jpg`)
  })

  it('prints counts, each kind with its photos, and a verdict', async () => {
    const { audit } = await auditOf({
      'train/a/1.jpg': photo[4]!,
      'train/a/2.jpg': photo[4]!,
      'valid/b/text.jpg': Buffer.from('text'),
    })
    expect(formatAudit(audit)).toBe(
      [
        '7 photos in 2 classes: 4 train (1 to 3 a class), 3 valid',
        '',
        'error    Photos that cannot be decoded: 1',
        '         valid/b/text.jpg  The content is not a picture of a format that is read.',
        '',
        'warning  Copies within a class and split: 1',
        '         train/a/1.jpg = train/a/2.jpg  2 copies',
        '',
        '1 error, 1 warning',
      ].join('\n'),
    )
    expect(formatAudit({ ...audit, problems: Array.from({ length: 12 }, () => audit.problems[0]!) }, 3)).toContain(
      'and 9 more',
    )
  })
})
