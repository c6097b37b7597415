import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeCenter } from '@flowers/shared/image/preprocess'
import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CropOptions } from './crop.ts'
import { openDataset, type Dataset } from '../dataset/dataset.ts'
import { trainBatches, validBatches, type Batch, type TrainBatchesOptions } from './loader.ts'
import { PhotoCache } from './photo-cache.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'

// Small photos, which are cached and resampled in TypeScript, and large ones, which libvips cuts.
const small = 14
const large = 6

let folder: Awaited<ReturnType<typeof testFolder>>
let dataset: Dataset
beforeAll(async () => {
  folder = await testFolder({})
  for (let index = 0; index < small + large; index++) {
    const name = `${index % 2 === 0 ? 'a' : 'b'}/${String(index).padStart(2, '0')}.jpg`
    await folder.write(`train/${name}`, await (index < small ? testPhoto(index, 60, 48) : testPhoto(index, 400, 320)))
  }
  for (let index = 0; index < 5; index++)
    await folder.write(`valid/${index % 2 === 0 ? 'a' : 'b'}/${index}.jpg`, await testPhoto(100 + index, 90, 70))
  dataset = await openDataset(folder.path, { seed: 1 })
})
afterAll(() => folder.remove())

const crop: CropOptions = { kind: 'randomResizedCrop', scale: [0.3, 1], ratio: [3 / 4, 4 / 3] }
const base = { size: 32, batch: 4, seed: 7, epoch: 2, crop } satisfies TrainBatchesOptions

async function collect(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const all: Batch[] = []
  for await (const batch of batches) all.push(batch)
  return all
}

const plain: Omit<Preprocessing, 'size' | 'cropFraction'> = { kernel: 'bicubic', mean: [0, 0, 0], std: [1, 1, 1] }

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, index) => sum + Math.abs(value - b[index]!), 0) / a.length
}

const epochOf = (options: Partial<TrainBatchesOptions> = {}) =>
  collect(trainBatches(dataset.train, { ...base, ...options }))

describe('trainBatches', () => {
  it('gives full batches of an epoch: every photo at most once, pixels, labels and samples in one order', async () => {
    const batches = await epochOf({ batch: 6 })
    expect(batches.map(({ step }) => step)).toEqual([0, 1, 2])
    for (const batch of batches) {
      expect(batch.pixels).toHaveLength(6 * 32 * 32 * 3)
      expect([...batch.labels]).toEqual(batch.samples.map(({ index }) => index))
      expect(batch.size).toBe(32)
    }
    expect(new Set(batches.flatMap(({ samples }) => samples)).size).toBe(18)
  })

  it('gives the same pixels whatever the concurrency, the prefetch and the cache', async () => {
    const reference = await epochOf({ inFlight: 1, ahead: 1 })
    const cache = new PhotoCache()
    expect(await epochOf({ inFlight: 7, ahead: 4 })).toEqual(reference)
    expect(await epochOf({ cache })).toEqual(reference)
    expect(cache.used).toBe(small * 60 * 48 * 3)
    expect(await epochOf({ cache })).toEqual(reference)
    // Room for five of them.
    const tight = new PhotoCache(5 * 60 * 48 * 3 + 1)
    await epochOf({ cache: tight })
    expect(tight.used).toBe(5 * 60 * 48 * 3)
    expect(await epochOf({ cache: tight })).toEqual(reference)
  })

  it('gives other pixels in another epoch, seed, size, kernel or crop', async () => {
    const [reference] = await epochOf()
    for (const other of [
      { epoch: 3 },
      { seed: 8 },
      { kernel: 'bicubic' },
      { crop: { kind: 'center', cropFraction: 1 } },
    ] as const) {
      const [first] = await epochOf(other)
      expect(first!.pixels).not.toEqual(reference!.pixels)
    }
    expect((await epochOf({ size: 16 }))[0]!.pixels).toHaveLength(4 * 16 * 16 * 3)
  })

  it('goes on at any step as if it had not stopped', async () => {
    const whole = await epochOf()
    expect(await epochOf({ startStep: 2 })).toEqual(whole.slice(2))
    expect(await epochOf({ startStep: whole.length })).toEqual([])
  })

  it('takes an order, with repeats', async () => {
    const order = Int32Array.from([3, 3, 0, 1, 2, 2, 2, 5, 9])
    const batches = await epochOf({ order })
    expect(batches.map(({ samples }) => samples.map((sample) => dataset.train.indexOf(sample)))).toEqual([
      [3, 3, 0, 1],
      [2, 2, 2, 5],
    ])
    // The same photo twice is cut twice.
    const bytes = 32 * 32 * 3
    expect(batches[0]!.pixels.subarray(0, bytes)).not.toEqual(batches[0]!.pixels.subarray(bytes, 2 * bytes))
  })

  it('refuses samples that do not fill a batch', () => {
    expect(() => trainBatches(dataset.train, { ...base, batch: 21 })).toThrow(/21 is more than the 20/)
  })

  it('cuts the centre as evaluation does, from small and from large photos', async () => {
    const order = Int32Array.from(dataset.train, (_, index) => index)
    // Sides that divide evenly, so that evaluation's rounding to whole pixels moves nothing.
    const trained = await epochOf({ order, size: 28, kernel: 'bicubic', crop: { kind: 'center', cropFraction: 0.875 } })
    const evaluated = await collect(
      validBatches(dataset.train, { preprocessing: { ...plain, size: 28, cropFraction: 0.875 }, batch: 4 }),
    )
    expect(trained).toHaveLength(5)
    trained.forEach((batch, step) => {
      expect(batch.samples).toEqual(evaluated[step]!.samples)
      expect(meanDifference(batch.pixels, evaluated[step]!.pixels)).toBeLessThan(1)
    })
  })
})

describe('unusual photos', () => {
  const draw = async () => sharp(await testPhoto(1, 420, 300))
  const forms: [string, (photo: Sharp) => Promise<Buffer>][] = [
    ['turned by EXIF', (photo) => photo.jpeg().withMetadata({ orientation: 6 }).toBuffer()],
    ['mirrored by EXIF', (photo) => photo.jpeg().withMetadata({ orientation: 5 }).toBuffer()],
    ['CMYK', (photo) => photo.toColourspace('cmyk').jpeg().toBuffer()],
    ['grey', (photo) => photo.greyscale().jpeg().toBuffer()],
    ['16-bit with alpha', (photo) => photo.ensureAlpha(0.4).toColourspace('rgb16').png().toBuffer()],
    ['grey with alpha', (photo) => photo.ensureAlpha(0.4).toColourspace('b-w').png().toBuffer()],
    [
      '16-bit with another colour profile',
      (photo) => photo.toColourspace('rgb16').withIccProfile('p3').png().toBuffer(),
    ],
    ['with another colour profile', (photo) => photo.withIccProfile('p3').jpeg().toBuffer()],
    ['an animation', (photo) => photo.gif().toBuffer()],
  ]

  it.each(forms)('%s: small and large are read as in evaluation', async (_, form) => {
    const place = await testFolder({
      'large.jpg': await form(await draw()),
      'small.jpg': await form((await draw()).resize(105, 75)),
    })
    try {
      for (const name of ['large.jpg', 'small.jpg']) {
        const sample = { path: join(place.path, name), label: 'a', index: 0, id: name }
        const size = 40
        const [batch] = await collect(
          trainBatches([sample], {
            ...base,
            size,
            batch: 1,
            kernel: 'bicubic',
            crop: { kind: 'center', cropFraction: 1 },
          }),
        )
        const canvas = await decodeCenter(await readFile(sample.path), { ...plain, size, cropFraction: 1 })
        expect(meanDifference(batch!.pixels, canvas.pixels)).toBeLessThan(1)
      }
    } finally {
      await place.remove()
    }
  })

  it('much larger than the square: shrunk while decoded, and the same picture', async () => {
    const place = await testFolder({ 'huge.jpg': await testPhoto(5, 1200, 900) })
    try {
      const sample = { path: join(place.path, 'huge.jpg'), label: 'a', index: 0, id: 'huge.jpg' }
      for (let seed = 0; seed < 5; seed++) {
        const size = 48
        const [batch] = await collect(
          trainBatches([sample], { ...base, seed, size, batch: 1, crop: { ...crop, scale: [0.2, 1] } }),
        )
        // 144 pixels are shrunk less than four times: the plain way.
        const [finer] = await collect(
          trainBatches([sample], { ...base, seed, size: 144, batch: 1, crop: { ...crop, scale: [0.2, 1] } }),
        )
        const shrunk = await sharp(finer!.pixels, { raw: { width: 144, height: 144, channels: 3 } })
          .resize(size, size, { kernel: 'linear' })
          .raw()
          .toBuffer()
        expect(meanDifference(batch!.pixels, shrunk)).toBeLessThan(2.5)
      }
    } finally {
      await place.remove()
    }
  })
})

describe('validBatches', () => {
  const preprocessing = { ...plain, size: 24, cropFraction: 0.875 }

  it('gives all samples in order, a short batch last, through the preprocessing of the service', async () => {
    const batches = await collect(validBatches(dataset.valid, { preprocessing, batch: 2 }))
    expect(batches.map(({ labels }) => labels.length)).toEqual([2, 2, 1])
    expect(batches.flatMap(({ samples }) => samples)).toEqual(dataset.valid)
    const last = await decodeCenter(await readFile(dataset.valid[4]!.path), preprocessing)
    expect(batches[2]!.pixels).toEqual(new Uint8Array(last.pixels))
  })
})

describe('stopping', () => {
  /** A cache that counts: every photo passes it before it is read. */
  class CountingCache extends PhotoCache {
    asked = 0
    override photo(path: string) {
      this.asked++
      return super.photo(path)
    }
  }

  /** Decodes another epoch: work that was left would be done, and counted, meanwhile. */
  async function expectToRest(cache: CountingCache): Promise<void> {
    const asked = cache.asked
    await collect(trainBatches(dataset.train, { ...base, cache, inFlight: 1 }))
    expect(cache.asked).toBe(asked + small + large)
  }

  it('decodes nothing after the iteration has ended early, and no more ahead than asked', async () => {
    const cache = new CountingCache(0)
    const batches = trainBatches(dataset.train, { ...base, batch: 2, cache, inFlight: 1, ahead: 2 })
    expect(cache.asked).toBe(0)
    await batches.next()
    await batches.return()
    const asked = cache.asked
    expect(asked).toBeLessThanOrEqual(2 * 3)
    await expectToRest(cache)
    expect(await batches.next()).toEqual({ value: undefined, done: true })
  })

  it.each([
    ['gone', (path: string) => rm(path)],
    ['broken', (path: string) => writeFile(path, 'no longer a photo')],
  ])('rejects when a photo is %s, after the batches before it, and leaves nothing running', async (_, harm) => {
    const files = Object.fromEntries(
      await Promise.all(
        Array.from({ length: 12 }, async (_, index) => [
          `train/${index % 2 === 0 ? 'a' : 'b'}/${index}.jpg`,
          await testPhoto(index),
        ]),
      ),
    )
    const place = await testFolder({ ...files, 'valid/a/x.jpg': await testPhoto(50) })
    try {
      const { train } = await openDataset(place.path, { seed: 1 })
      const order = Int32Array.from(train, (_, index) => index)
      const lost = train[7]!
      await harm(lost.path)
      const cache = new CountingCache(0)
      const seen: number[] = []
      const reading = (async () => {
        for await (const { step } of trainBatches(train, { ...base, batch: 2, order, cache, ahead: 4, inFlight: 3 }))
          seen.push(step)
      })()
      await expect(reading).rejects.toMatchObject({
        code: 'DATA_IMAGE_LOST',
        message: expect.stringContaining(lost.path) as string,
      })
      expect(seen).toEqual([0, 1, 2])
      await expectToRest(cache)
    } finally {
      await place.remove()
    }
  })
})
