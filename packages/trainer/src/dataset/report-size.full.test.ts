import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditDataset } from './audit.ts'
import { openDataset } from './dataset.ts'
import { drawFlower, drawnSpecies } from '../drawn/drawn-flowers.ts'
import { Random } from '@flowers/shared/random'
import { trainBatches } from '../input/loader.ts'
import { PhotoCache } from '../input/photo-cache.ts'

const photos = 24_789
const classes = 152
/** Of pixels that stay from epoch to epoch. */
const cacheBudget = 128 * 2 ** 20
/** Beside the cache: what 24,789 photos are known by, those in flight, and what libvips and the allocator hold on to. */
const allowedGrowth = cacheBudget + 256 * 2 ** 20

/** Sizes of the classes: a long tail, 24,789 in all. */
function classSizes(): number[] {
  const weights = Array.from({ length: classes }, (_, number) => 0.08 ** (number / (classes - 1)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const sizes = weights.map((weight) => Math.floor((photos * weight) / total))
  const short = photos - sizes.reduce((sum, size) => sum + size, 0)
  return sizes.map((size, number) => (number < short ? size + 1 : size))
}

const side = 48

/** Four of the pictures (RGB, 48 x 48) in a square, others for every number, so that no two photos look alike. */
async function fourOf(drawn: readonly Buffer[], number: number): Promise<Buffer> {
  const random = new Random(1, 'scene', number)
  const pixels = Buffer.alloc(4 * 3 * side * side)
  const width = 2 * side
  for (const corner of [0, 1, 2, 3]) {
    const picture = random.pick(drawn)
    const start = Math.floor(corner / 2) * side * width + (corner % 2) * side
    for (let y = 0; y < side; y++) picture.copy(pixels, 3 * (start + y * width), 3 * y * side, 3 * (y + 1) * side)
  }
  // Every tenth is large enough to be cut by libvips each time instead of being cached.
  const size = number % 10 === 0 ? 288 : width
  const jpeg = await sharp(pixels, { raw: { width, height: width, channels: 3 } })
    .resize(size, size)
    .jpeg()
    .toBuffer()
  // Bytes after the end of a JPEG are not looked at: never the same content, should the pictures be the same.
  return Buffer.concat([jpeg, Buffer.from(`photo ${number}`)])
}

let folder: string
let atStart: number
beforeAll(async () => {
  atStart = process.memoryUsage.rss()
  folder = await mkdtemp(join(tmpdir(), 'flowers-report-size-'))
  const drawn = await Promise.all(
    Array.from({ length: 320 }, async (_, index) => {
      const species = drawnSpecies[index % drawnSpecies.length]!
      const flower = await drawFlower({ species, size: side, seed: 1, index })
      return sharp(flower).removeAlpha().raw().toBuffer()
    }),
  )
  let number = 0
  for (const [index, size] of classSizes().entries()) {
    const place = join(folder, `${String(index + 1).padStart(3, '0')}-kind-${index}`)
    await mkdir(place)
    const first = number
    number += size
    for (let photo = 0; photo < size; photo += 32) {
      const together = Array.from({ length: Math.min(32, size - photo) }, (_, index) => photo + index)
      await Promise.all(
        together.map(async (at) => writeFile(join(place, `${at}.jpg`), await fourOf(drawn, first + at))),
      )
    }
  }
}, 600_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs `work` and returns how far the process's memory grew at most since the photos began to be drawn. */
async function growthOf(work: () => Promise<void>): Promise<number> {
  let most = process.memoryUsage.rss()
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 50)
  try {
    await work()
  } finally {
    clearInterval(watch)
  }
  return Math.max(most, process.memoryUsage.rss()) - atStart
}

describe(`${photos} photos in ${classes} classes`, () => {
  it('are opened, audited and loaded for an epoch in bounded memory', async () => {
    const growth = await growthOf(async () => {
      const dataset = await openDataset(folder, { seed: 1 })
      expect(dataset.labels).toHaveLength(classes)
      expect(dataset.train.length + dataset.valid.length).toBe(photos)

      const audit = await auditDataset(dataset, { minimumSize: 32 })
      expect(audit).toMatchObject({ checked: photos, errors: 0 })

      const batch = 64
      const seen = new Set<string>()
      for await (const { samples, pixels } of trainBatches(dataset.train, {
        size: 64,
        batch,
        seed: 1,
        epoch: 0,
        cache: new PhotoCache(cacheBudget),
        crop: { kind: 'randomResizedCrop', scale: [0.35, 1], ratio: [3 / 4, 4 / 3] },
      })) {
        for (const { id } of samples) seen.add(id)
        expect(pixels).toHaveLength(batch * 64 * 64 * 3)
      }
      expect(seen.size).toBe(Math.floor(dataset.train.length / batch) * batch)
    })
    console.log(`memory grew by ${Math.round(growth / 2 ** 20)} MiB at most`)
    expect(growth).toBeLessThan(allowedGrowth)
  }, 600_000)
})
