import { readdir, symlink } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { FlowersError } from '@flowers/shared/errors'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { describeDataset, openDataset, withoutPhotos, type Dataset } from './dataset.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** Opening does not look into photos, so any bytes do. */
async function folderOf(names: readonly string[], extra: Record<string, string> = {}) {
  const folder = await testFolder({ ...Object.fromEntries(names.map((name) => [name, `bytes of ${name}`])), ...extra })
  cleanups.push(folder.remove)
  return folder
}

const ids = (samples: Dataset['train']) => samples.map(({ id }) => id)

async function failure(path: string, options: { validShare?: number } = {}): Promise<FlowersError> {
  try {
    await openDataset(path, { seed: 1, ...options })
  } catch (error) {
    if (error instanceof FlowersError) return error
    throw error
  }
  throw new Error('opened')
}

it('tells how far it is with hashing, and with looking where it makes the split itself', async () => {
  const names = ['a/1.jpg', 'a/2.jpg', 'b/1.jpg', 'b/2.jpg']
  const files = await Promise.all(names.map(async (name, seed) => [name, await testPhoto(seed)] as const))
  const whole = await testFolder(Object.fromEntries(files))
  cleanups.push(whole.remove)
  const steps = async (path: string): Promise<string[]> => {
    const seen: string[] = []
    await openDataset(path, {
      seed: 1,
      onProgress: (done, total) => seen.push(`hashed ${done}/${total}`),
      onInspect: (done, total) => seen.push(`looked ${done}/${total}`),
    })
    return seen
  }
  const each = (what: string) => [1, 2, 3, 4].map((done) => `${what} ${done}/4`)
  expect(await steps(whole.path)).toEqual([...each('hashed'), ...each('looked')])
  const split = await folderOf(['train/a/1.jpg', 'train/b/1.jpg', 'valid/a/2.jpg', 'valid/b/2.jpg'])
  expect(await steps(split.path)).toEqual(each('hashed'))
})

describe('stopped', () => {
  const reason = new Error('stopped by the test')
  /** More than are looked at at once. */
  const names = Array.from(
    { length: 36 + 2 * availableParallelism() },
    (_, index) => `${index % 2 ? 'a' : 'b'}/${index}.jpg`,
  )

  it.each(['onProgress', 'onInspect'] as const)('between two photos, at %s', async (moment) => {
    const { path } = await folderOf(names)
    const stop = new AbortController()
    let seen = 0
    const follow = (): void => {
      seen++
      stop.abort(reason)
    }
    await expect(openDataset(path, { seed: 1, signal: stop.signal, [moment]: follow })).rejects.toBe(reason)
    expect(seen).toBeLessThan(names.length)
  })

  it('remembers the photos that it has looked at', async () => {
    const good = await Promise.all(names.map(async (name, seed) => [name, await testPhoto(seed)] as const))
    const data = await testFolder(Object.fromEntries(good))
    const cache = await testFolder({})
    cleanups.push(data.remove, cache.remove)
    const stop = new AbortController()
    const options = { seed: 1, cache: cache.path }
    const stopped = openDataset(data.path, { ...options, signal: stop.signal, onInspect: () => stop.abort(reason) })
    await expect(stopped).rejects.toBe(reason)
    expect(await readdir(cache.path)).not.toEqual([])
  })
})

const photos = (name: string, total: number) => Array.from({ length: total }, (_, index) => `${name}/${index}.jpg`)

describe('the three forms', () => {
  it('give the same labels, indices and split', async () => {
    const names = ['10-rose/a.jpg', '10-rose/b.JPEG', '2-tulip/c.png', 'aster/d.webp']
    const splits = await folderOf([...names.map((name) => `train/${name}`), 'valid/3-tulip/e.jpg', 'valid/rose/f.jpg'])
    const rows = [
      'train/10-rose/a.jpg,10-rose,train',
      'train/10-rose/b.JPEG,10-rose,train',
      'train/2-tulip/c.png,tulip,train',
      'train/aster/d.webp,aster,train',
      'valid/3-tulip/e.jpg,tulip,valid',
      '"valid/rose/f.jpg",10-rose,valid',
    ]
    await splits.write('list.csv', `\ufeffpath,label,split\r\n${rows.toReversed().join('\r\n')}\r\n`)

    const folder = await openDataset(splits.path, { seed: 1 })
    const csv = await openDataset(join(splits.path, 'list.csv'), { seed: 1 })
    expect(folder.labels).toEqual(['aster', 'rose', 'tulip'])
    expect(folder.train.map(({ label, index }) => [label, index])).toEqual([
      ['rose', 1],
      ['rose', 1],
      ['tulip', 2],
      ['aster', 0],
    ])
    expect(ids(folder.valid)).toEqual(['valid/3-tulip/e.jpg', 'valid/rose/f.jpg'])
    expect(csv).toMatchObject({
      labels: folder.labels,
      train: folder.train,
      valid: folder.valid,
      sha256: folder.sha256,
    })
    expect([folder.splitBy, csv.splitBy, csv.form]).toEqual(['given', 'given', 'csv'])
    // The CSV itself lies among the photos of the folder, and is reported.
    expect(folder.ignored).toEqual(['list.csv'])
    expect(folder.train[0]!.path).toBe(join(splits.path, 'train/10-rose/a.jpg'))

    const classes = await folderOf([...photos('10-rose', 4), ...photos('2-tulip', 4), ...photos('aster', 4)])
    const one = await openDataset(classes.path, { seed: 1 })
    expect([one.labels, one.splitBy, one.form]).toEqual([folder.labels, 'stratified', 'classes'])
  })

  it('make the same split of a folder of classes, train/ alone and a CSV without splits', async () => {
    const folder = await folderOf([...photos('train/1-rose', 9), ...photos('train/2-tulip', 9)])
    const rows = (split: string) =>
      [...photos('rose', 9), ...photos('tulip', 9)].map(
        (id) => `train/${id.replace('rose', '1-rose').replace('tulip', '2-tulip')},${id.split('/')[0]}${split}`,
      )
    await folder.write('bare.csv', ['path,label', ...rows('')].join('\n'))
    await folder.write('train.csv', ['path,label,split', ...rows(',train')].join('\n'))
    const opened = await Promise.all(
      [folder.path, join(folder.path, 'bare.csv'), join(folder.path, 'train.csv')].map((path) =>
        openDataset(path, { seed: 4 }),
      ),
    )
    for (const dataset of opened) {
      expect(dataset.splitBy).toBe('stratified')
      expect(ids(dataset.valid)).toEqual(ids(opened[0]!.valid))
      expect(dataset.sha256).toBe(opened[0]!.sha256)
    }
  })

  it('keep near-duplicates on one side of a split that is made', async () => {
    const files: Record<string, Uint8Array> = {}
    for (const label of ['a', 'b']) {
      for (let index = 0; index < 12; index++) {
        const photo = await testPhoto(index + (label === 'a' ? 0 : 50), 160, 120)
        files[`${label}/${index} large.jpg`] = photo
        files[`${label}/${index} small.jpg`] = await sharp(photo).resize(96).jpeg({ quality: 70 }).toBuffer()
      }
    }
    const folder = await testFolder(files)
    cleanups.push(folder.remove)
    for (const seed of [1, 2, 3]) {
      const { valid } = await openDataset(folder.path, { seed, validShare: 0.25 })
      const numbers = ids(valid).map((id) => id.split(' ')[0])
      expect(valid).toHaveLength(12)
      expect(new Set(numbers).size).toBe(6)
    }
  })

  it('keep a test split aside', async () => {
    const folder = await folderOf(['train/a/1.jpg', 'train/b/2.jpg', 'valid/a/3.jpg', 'test/b/4.jpg'])
    const dataset = await openDataset(folder.path, { seed: 1 })
    expect(ids(dataset.test)).toEqual(['test/b/4.jpg'])
    expect([...ids(dataset.train), ...ids(dataset.valid)]).not.toContain('test/b/4.jpg')
  })

  it('read folders in class folders, follow links, leave out hidden files, report other files', async () => {
    const folder = await folderOf([
      'a/deep/1.jpg',
      'a/2.jpg',
      'b/3.jpg',
      'b/4.jpg',
      'a/.hidden.jpg',
      '.git/x.jpg',
      'a/Thumbs.db',
      'b/notes.txt',
      'b/photo.heic',
    ])
    const elsewhere = await folderOf(['5.jpg', '6.jpg'])
    await symlink(elsewhere.path, join(folder.path, 'c'))
    await symlink(join(elsewhere.path, 'gone.jpg'), join(folder.path, 'b', '7.jpg'))
    const dataset = await openDataset(folder.path, { seed: 1 })
    expect([...ids(dataset.train), ...ids(dataset.valid)].toSorted()).toEqual([
      'a/2.jpg',
      'a/deep/1.jpg',
      'b/3.jpg',
      'b/4.jpg',
      'b/7.jpg',
      'b/photo.heic',
      'c/5.jpg',
      'c/6.jpg',
    ])
    expect(dataset.ignored).toEqual(['b/notes.txt'])
  })
})

describe('the hash', () => {
  it('changes with content, name, label and split, and with nothing else', async () => {
    const names = ['train/a/1.jpg', 'train/b/2.jpg', 'valid/a/3.jpg']
    const hashOf = async (files: readonly string[], extra: Record<string, string> = {}) =>
      (await openDataset((await folderOf(files, extra)).path, { seed: 1 })).sha256
    const base = await hashOf(names)
    expect(await hashOf(names.toReversed())).toBe(base)
    expect(base).toMatch(/^[0-9a-f]{64}$/)
    const others = [
      await hashOf(names, { 'train/a/1.jpg': 'other bytes' }),
      await hashOf(['train/a/9.jpg', 'train/b/2.jpg', 'valid/a/3.jpg'], { 'train/a/9.jpg': 'bytes of train/a/1.jpg' }),
      await hashOf([...names, 'valid/b/4.jpg']),
    ]
    expect(new Set([base, ...others]).size).toBe(4)
  })
})

describe('what is refused', () => {
  it.each<[string, string[], string, RegExp]>([
    ['an empty folder', [], 'DATA_FORM', /no class folder/],
    ['photos without class folders', ['1.jpg', '2.jpg'], 'DATA_FORM', /2 photos but no class folder/],
    [
      'class folders without photos alone',
      ['a/readme.txt', 'b/DSC1.CR2', 'b/DSC2.CR2'],
      'DATA_EMPTY',
      /b: holds no photo; 2 files of another kind, such as DSC1.CR2/,
    ],
    ['one class', photos('a', 3), 'DATA_ONE_CLASS', /All 3 photos .* label "a"\.$/],
    [
      'one class and an empty one',
      [...photos('a', 3), 'b/readme.txt'],
      'DATA_ONE_CLASS',
      /label "a"\. Not used: b: holds no photo; 1 file of/,
    ],
    [
      'one class and others',
      [...photos('a', 3), 'Others/x.jpg'],
      'DATA_ONE_CLASS',
      /The photos of others\/ are of no class/,
    ],
    ['others alone', ['others/x.jpg'], 'DATA_FORM', /no class folder, and others\/ is of no class/],
    ['a class with one photo to split', [...photos('a', 3), 'b/1.jpg'], 'DATA_CLASS_TOO_SMALL', /"b" has one photo/],
    [
      'a class only in valid',
      ['train/a/1.jpg', 'train/b/1.jpg', 'valid/c/1.jpg'],
      'DATA_CLASS_NOT_IN_TRAIN',
      /"c" is in valid/,
    ],
    [
      'a class only in test',
      ['train/a/1.jpg', 'train/b/1.jpg', 'valid/a/2.jpg', 'test/c/1.jpg'],
      'DATA_CLASS_NOT_IN_TRAIN',
      /"c" is in test/,
    ],
    [
      'an unknown split folder',
      ['train/a/1.jpg', 'train/b/1.jpg', 'dev/a/2.jpg'],
      'DATA_SPLIT_UNKNOWN',
      /"dev", which is no split/,
    ],
    [
      'two spellings of a split',
      ['train/a/1.jpg', 'train/b/1.jpg', 'val/a/2.jpg', 'Valid/b/2.jpg'],
      'DATA_SPLIT_UNKNOWN',
      /Valid\/ and val\/, which both name the split valid/,
    ],
    ['valid/ without train/', ['valid/a/1.jpg', 'valid/b/1.jpg'], 'DATA_SPLIT_UNKNOWN', /valid\/ but no train\//],
    [
      'train/ and test/ without photos to validate on',
      ['train/a/1.jpg', 'train/b/1.jpg', 'test/b/2.jpg'],
      'DATA_NOT_VALIDATED',
      /validate/,
    ],
  ])('%s', async (_, names, code, message) => {
    const error = await failure((await folderOf(names)).path)
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
    expect(error.entry.remedy.length).toBeGreaterThan(10)
  })

  it('a path that is not there, a file that is no CSV', async () => {
    expect((await failure('/nowhere/at/all')).code).toBe('DATA_NOT_FOUND')
    const folder = await folderOf(['list.txt'])
    expect((await failure(join(folder.path, 'list.txt'))).code).toBe('DATA_FORM')
    expect((await failure(join(folder.path, 'list.txt', 'x'))).code).toBe('DATA_NOT_FOUND')
  })

  it.each<[string, string, string, RegExp]>([
    ['no content', '', 'DATA_CSV', /line 1: the file is empty/],
    ['no rows', 'path,label\n', 'DATA_EMPTY', /no photo/],
    ['another header', 'file,class\na.jpg,a\n', 'DATA_CSV', /line 1: the header is "file,class"/],
    ['an unknown column', 'path,label,splits\na.jpg,a,train\n', 'DATA_CSV', /line 1: the header/],
    [
      'a missing field',
      'path,label,split\na.jpg,a,train\nb.jpg,b\n',
      'DATA_CSV',
      /line 3: 2 fields where the header has 3/,
    ],
    ['an open quote', 'path,label\na.jpg,a\n"b.jpg,b\n', 'DATA_CSV', /line \d: a quote is opened and not closed/],
    ['an empty label', 'path,label\na.jpg,a\n\nb.jpg,\n', 'DATA_CSV', /line 4: the label is empty/],
    ['an empty path', 'path,label\n,a\n', 'DATA_CSV', /line 2: the path is empty/],
    [
      'a repeated path',
      'path,label\na.jpg,a\nb.jpg,b\n./a.jpg,b\n',
      'DATA_CSV',
      /line 4: the path ".\/a.jpg" is already on line 2/,
    ],
    [
      'a split on some lines',
      'path,label,split\na.jpg,a,train\nb.jpg,b,\n',
      'DATA_CSV',
      /line 3: no split, but line 2 has one/,
    ],
    ['an unknown split', 'path,label,split\na.jpg,a,train\nb.jpg,b,dev\n', 'DATA_SPLIT_UNKNOWN', /line 3: "dev"/],
    [
      'a photo that is not there',
      'path,label\na.jpg,a\ngone.jpg,b\nlost.jpg,b\n',
      'DATA_PHOTO_MISSING',
      /line 3: there is no file "gone.jpg".*1 more/,
    ],
    ['one class', 'path,label\na.jpg,a\nb.jpg,a\n', 'DATA_ONE_CLASS', /label "a"/],
  ])('a CSV with %s', async (_, text, code, message) => {
    const folder = await folderOf(['a.jpg', 'b.jpg'], { 'list.csv': text })
    const error = await failure(join(folder.path, 'list.csv'))
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
  })

  it('a CSV that is not text', async () => {
    const folder = await folderOf([])
    await folder.write('list.csv', Uint8Array.from([0x50, 0x4b, 0x03, 0x04, 0xff, 0xfe, 0x00]))
    expect(await failure(join(folder.path, 'list.csv'))).toMatchObject({
      code: 'DATA_CSV',
      message: expect.stringMatching(/not UTF-8/) as string,
    })
  })
})

it('names near copies as the cause where none is left to validate on', async () => {
  const files: Record<string, Uint8Array> = {}
  for (const [seed, label] of ['a', 'b'].entries())
    for (const [index, quality] of [70, 80, 90].entries())
      files[`${label}/${index}.jpg`] = await sharp(await testPhoto(seed, 160, 120))
        .jpeg({ quality })
        .toBuffer()
  const folder = await testFolder(files)
  cleanups.push(folder.remove)
  const error = await failure(folder.path)
  expect([error.code, error.message]).toEqual([
    'DATA_NOT_VALIDATED',
    expect.stringMatching(/near copies of one another/),
  ])
  expect(error.entry.remedy).toMatch(/train\/ and valid\/.*CSV.*add photos/)
})

describe('a dataset for a measurement', () => {
  it.each([
    ['test/ alone', ['test/a/1.jpg', 'test/b/2.jpg'], [0, 0, 2]],
    ['val/ alone, of one class', ['val/a/1.jpg', 'val/a/2.jpg'], [0, 2, 0]],
    ['an empty train/ beside test/', ['train/readme.txt', 'test/a/1.jpg'], [0, 0, 1]],
    ['classes only in test', ['train/a/1.jpg', 'test/b/2.jpg'], [1, 0, 1]],
    ['a class of one photo, without a split', ['a/1.jpg', 'b/1.jpg'], [2, 0, 0]],
  ])('may have %s', async (_, names, counts) => {
    const { path } = await folderOf(names)
    const { train, valid, test } = await openDataset(path, { seed: 1, partial: true })
    expect([train.length, valid.length, test.length]).toEqual(counts)
    await expect(failure(path)).resolves.toMatchObject({ code: expect.stringMatching(/^DATA_/) as string })
  })

  it('has the same hash as one to train on, and may lose a class', async () => {
    const { path } = await folderOf(['train/a/1.jpg', 'train/b/2.jpg', 'valid/a/3.jpg'])
    const whole = await openDataset(path, { seed: 1 })
    const partial = await openDataset(path, { seed: 1, partial: true })
    expect(partial.sha256).toBe(whole.sha256)
    const without = new Set(['train/b/2.jpg'])
    expect(withoutPhotos(partial, without).train).toHaveLength(1)
    expect(() => withoutPhotos(whole, without)).toThrow(FlowersError)
  })
})

describe('names of classes', () => {
  it('that order alone would make one stay two, in folders and in a CSV', async () => {
    const names = [...photos('2019-rose', 3), ...photos('2020-rose', 3), ...photos('7-up', 3)]
    const rows = names.map((name) => `${name},${name.split('/')[0]}`)
    const folder = await folderOf(names, { 'list.csv': `path,label\n${rows.join('\n')}\n` })
    const labels = ['2019-rose', '2020-rose', 'up']
    expect((await openDataset(join(folder.path, 'list.csv'), { seed: 1 })).labels).toEqual(labels)
    expect((await openDataset(folder.path, { seed: 1 })).labels).toEqual(labels)
  })

  it('are one in all splits', async () => {
    const folder = await folderOf([
      'train/01-rose/1.jpg',
      'train/tulip/1.jpg',
      'valid/1-rose/2.jpg',
      'test/rose /3.jpg',
    ])
    const { labels, train, valid, test } = await openDataset(folder.path, { seed: 1 })
    expect(labels).toEqual(['rose', 'tulip'])
    expect([train, valid, test].map((samples) => samples.filter(({ label }) => label === 'rose').length)).toEqual([
      1, 1, 1,
    ])
  })
})

it('a split leaves a photo to train on that can be decoded, where a class has one', async () => {
  const good = await Promise.all(Array.from({ length: 8 }, (_, seed) => testPhoto(seed)))
  // One sound photo among broken ones: whichever the seed would validate on.
  for (let sound = 0; sound < 3; sound++) {
    const mixed = Array.from(
      { length: 3 },
      (_, place) => [`a/${place}.jpg`, place === sound ? good[0]! : `broken ${place}`] as const,
    )
    const rest = good.slice(1).map((bytes, place) => [`b/${place}.jpg`, bytes] as const)
    const folder = await testFolder(Object.fromEntries([...mixed, ...rest]))
    cleanups.push(folder.remove)
    const { train } = await openDataset(folder.path, { seed: 1 })
    expect(ids(train)).toContain(`a/${sound}.jpg`)
  }
})

describe('withoutPhotos', () => {
  it('leaves photos out, keeps classes and changes the hash', async () => {
    const folder = await folderOf(['train/a/1.jpg', 'train/a/2.jpg', 'train/b/3.jpg', 'valid/a/4.jpg'])
    const dataset = await openDataset(folder.path, { seed: 1 })
    const less = withoutPhotos(dataset, new Set(['train/a/1.jpg']))
    expect(ids(less.train)).toEqual(['train/a/2.jpg', 'train/b/3.jpg'])
    expect(less.labels).toEqual(dataset.labels)
    expect(less.sha256).not.toBe(dataset.sha256)
    expect(() => withoutPhotos(dataset, new Set(['train/b/3.jpg']))).toThrow(FlowersError)
  })

  it.each([
    [['train/b/3.jpg'], /^The list leaves no photo of "b": all 1\.$/],
    [['valid/a/4.jpg'], /^The list leaves no photo to validate on: all 1\.$/],
  ])('says who leaves nothing: %j', async (left, message) => {
    const folder = await folderOf(['train/a/1.jpg', 'train/a/2.jpg', 'train/b/3.jpg', 'valid/a/4.jpg'])
    const dataset = await openDataset(folder.path, { seed: 1 })
    const leaving = { who: 'The list', why: ({ length }: readonly unknown[]) => `all ${length}` }
    expect(() => withoutPhotos(dataset, new Set(left), leaving)).toThrow(
      expect.objectContaining({
        code: 'DATA_NOTHING_LEFT',
        message: expect.stringMatching(message) as string,
      }) as Error,
    )
  })
})

describe('describeDataset', () => {
  it('counts each class in each split and names every photo with its hash', async () => {
    const folder = await folderOf(['train/a/1.jpg', 'train/a/2.jpg', 'train/b/3.jpg', 'valid/a/4.jpg'])
    const described = describeDataset(await openDataset(folder.path, { seed: 1 }))
    expect(described.counts).toEqual({ train: { a: 2, b: 1 }, valid: { a: 1, b: 0 }, test: { a: 0, b: 0 } })
    expect(described.photos).toHaveLength(4)
    expect(described.photos[3]).toMatchObject({ id: 'valid/a/4.jpg', split: 'valid', label: 'a', bytes: 22 })
  })
})
