import { readdir, symlink } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { FlowersError } from '@flowers/shared/errors'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { describeDataset, openDataset, withoutPhotos, type Dataset } from './dataset.ts'
import { dataFolders, photos } from '../testing/data-folders.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'

const { cleanups, folderOf, failure } = dataFolders()

const ids = (samples: Dataset['train']) => samples.map(({ id }) => id)

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
