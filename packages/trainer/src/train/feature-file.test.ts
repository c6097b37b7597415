import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sixViews, type View } from '@flowers/shared/image/view'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FeatureFile, type FeatureSource } from './feature-file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'features-'))
})
afterAll(() => rm(folder, { recursive: true }))

const photos = 5
const width = 3
const flips = ['none', 'horizontal', 'vertical']

/** A vector that tells photo, scale, flip and place apart. */
const vector = (photo: number, { scale, flip }: View): number[] =>
  Array.from({ length: width }, (_, place) =>
    Math.fround(1000 * photo + 100 * scale + 10 * flips.indexOf(flip) + place),
  )

/** Features in pieces of two photos; counts how often they are computed. */
function source(key: string, change: Partial<FeatureSource> = {}) {
  const computed: number[] = []
  const made: FeatureSource = {
    photos,
    views: sixViews,
    width,
    key,
    async *compute(scale, some) {
      computed.push(scale)
      for (let first = 0; first < photos; first += 2) {
        const rows = [first, first + 1].filter((photo) => photo < photos)
        await Promise.resolve()
        yield Float32Array.from(rows.flatMap((photo) => some.flatMap((flip) => vector(photo, { scale, flip }))))
      }
    },
    ...change,
  }
  return { source: made, computed }
}

it('gives the vector of any photo and view, and is computed once', async () => {
  const path = join(folder, 'kept.safetensors')
  const first = source('a')
  const places = sixViews.flatMap((_, view) => [4, 0, 3].map((photo) => ({ photo, view })))
  const expected = places.flatMap(({ photo, view }) => vector(photo, sixViews[view]!))
  for (const { source: kept, computed } of [first, source('a')]) {
    const file = await FeatureFile.open(path, kept)
    expect([...(await file.read(places))]).toEqual(expected)
    expect(computed).toEqual(kept === first.source ? [1, 1.15] : [])
    await file.close()
  }
})

it('is computed anew where the features are others', async () => {
  const path = join(folder, 'changed.safetensors')
  await (await FeatureFile.open(path, source('a').source)).close()
  const other = source('b')
  await (await FeatureFile.open(path, other.source)).close()
  expect(other.computed).toEqual([1, 1.15])
})

it.each([
  ['empty', 0],
  ['cut in its header', 20],
  ['cut in its values', 400],
])('is computed anew where the file is %s', async (_, bytes) => {
  const path = join(folder, 'cut.safetensors')
  await (await FeatureFile.open(path, source('a').source)).close()
  await truncate(path, bytes)
  const again = source('a')
  await (await FeatureFile.open(path, again.source)).close()
  expect(again.computed).toEqual([1, 1.15])
})

it.each([
  ['its photos are lost', 'a photo is lost'],
  ['it is too short', 'the shapes hold 90 values, 0 came'],
])('is not there when %s', async (_, message) => {
  const path = join(folder, 'broken.safetensors')
  // oxlint-disable-next-line require-yield -- fails or ends before the first piece
  async function* compute(): AsyncGenerator<Float32Array> {
    await Promise.resolve()
    if (message === 'a photo is lost') throw new Error(message)
  }
  await expect(FeatureFile.open(path, source('a', { compute }).source)).rejects.toThrow(message)
  expect((await readdir(folder)).filter((name) => name.startsWith('broken'))).toEqual([])
})
