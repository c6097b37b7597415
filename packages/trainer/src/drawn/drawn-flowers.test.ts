import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataset } from '../dataset/dataset.ts'
import { drawFlower, drawFlowers, drawnScenes, drawnSpecies, drawScene, tailCount } from './drawn-flowers.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-drawn-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('drawFlower', () => {
  it('is a function of species, seed, index and size', async () => {
    const base = { species: 'poppy', size: 48, seed: 3, index: 5 }
    const [first, second, ...others] = await Promise.all([
      drawFlower(base),
      drawFlower(base),
      drawFlower({ ...base, species: 'rose' }),
      drawFlower({ ...base, seed: 4 }),
      drawFlower({ ...base, index: 6 }),
    ])
    expect(first.equals(second)).toBe(true)
    for (const other of others) expect(first.equals(other)).toBe(false)
    expect(await sharp(first).metadata()).toMatchObject({ format: 'jpeg', width: 48, height: 48 })
  })

  it('draws species that can be told apart by their mean colour, more often than by chance', async () => {
    // Nearest class mean over a 4 x 4 thumbnail: far below what a network reaches, far above 1 in 16.
    const thumbnail = async (species: string, index: number): Promise<Uint8Array> =>
      sharp(await drawFlower({ species, size: 32, seed: 1, index }))
        .resize(4, 4, { fit: 'fill' })
        .raw()
        .toBuffer()
    const shown = 12
    const means = await Promise.all(
      drawnSpecies.map(async (species) => {
        const sum = new Float64Array(48)
        for (let index = 0; index < shown; index++)
          (await thumbnail(species, index)).forEach((value, at) => (sum[at]! += value / shown))
        return sum
      }),
    )
    let right = 0
    for (const [truth, species] of drawnSpecies.entries()) {
      for (let index = shown; index < shown + 4; index++) {
        const picture = await thumbnail(species, index)
        const distances = means.map((mean) => mean.reduce((sum, value, at) => sum + (value - picture[at]!) ** 2, 0))
        if (distances.indexOf(Math.min(...distances)) === truth) right++
      }
    }
    expect(drawnSpecies.length).toBeGreaterThanOrEqual(12)
    expect(right / (4 * drawnSpecies.length)).toBeGreaterThan(3 / drawnSpecies.length)
  })
})

it('leaves nothing when it is stopped', async () => {
  const stop = new AbortController()
  const reason = new Error('stopped by the test')
  const drawn: number[] = []
  const stopped = drawFlowers(join(folder, 'half'), {
    species: 12,
    train: 8,
    valid: 2,
    size: 16,
    seed: 1,
    signal: stop.signal,
    onProgress: (done) => {
      drawn.push(done)
      stop.abort(reason)
    },
  })
  await expect(stopped).rejects.toBe(reason)
  expect(drawn.length).toBeLessThan(120)
  expect(await readdir(folder)).toEqual([])
})

describe('drawScene', () => {
  it('draws every scene, the same for the same seed', async () => {
    const sizes = await Promise.all(
      drawnScenes.map(async (scene) => (await sharp(await drawScene(1, { scene, size: 40 })).metadata()).width),
    )
    expect(new Set(sizes)).toEqual(new Set([40]))
    expect((await drawScene(9)).equals(await drawScene(9))).toBe(true)
    expect((await drawScene(9)).equals(await drawScene(10))).toBe(false)
  })
})

describe('drawFlowers', () => {
  const options = { species: 12, train: 4, valid: 2, size: 24, seed: 1, tail: 0.25 }

  it('draws a dataset with a long tail, the same every time', async () => {
    await drawFlowers(join(folder, 'a'), options)
    await drawFlowers(join(folder, 'b'), options)
    const a = await openDataset(join(folder, 'a'), { seed: 1 })
    const b = await openDataset(join(folder, 'b'), { seed: 1 })
    expect(a.sha256).toBe(b.sha256)
    expect(a.labels).toHaveLength(12)
    expect(a.valid).toHaveLength(24)
    const count = (label: string) => a.train.filter((sample) => sample.label === label).length
    expect(count(drawnSpecies[0]!)).toBe(4)
    expect(count(drawnSpecies[11]!)).toBe(1)
  })

  it('keeps what is there, replaces other drawn flowers, refuses anything else', async () => {
    const target = join(folder, 'flowers')
    await drawFlowers(target, options)
    const photo = join(target, 'train', '01-daisy', '0001.jpg')
    await writeFile(photo, 'touched')
    await drawFlowers(target, options)
    expect(await readFile(photo, 'utf8')).toBe('touched')
    await drawFlowers(target, { ...options, seed: 2 })
    expect((await readFile(photo)).length).toBeGreaterThan(100)

    await writeFile(join(folder, 'letter.txt'), 'mine')
    await expect(drawFlowers(folder, options)).rejects.toMatchObject({ code: 'USAGE' })
    expect((await readdir(folder)).toSorted()).toEqual(['flowers', 'letter.txt'])
  })
})

describe('tailCount', () => {
  it('falls geometrically from the first species to the last', () => {
    expect([0, 1, 2].map((number) => tailCount(100, 0.04, number, 3))).toEqual([100, 20, 4])
    expect(tailCount(100, 1, 2, 3)).toBe(100)
    expect(tailCount(2, 0.01, 2, 3)).toBe(1)
  })
})
