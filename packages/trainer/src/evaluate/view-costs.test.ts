import { join } from 'node:path'
import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import { sixViews } from '@flowers/shared/image/view'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testFolder, testPhoto } from '../testing/test-photos.ts'
import type { Network } from './network.ts'
import { measureViewCosts } from './view-costs.ts'

const preprocessing: Preprocessing = { size: 8, cropFraction: 1, kernel: 'bicubic', mean: [0, 0, 0], std: [1, 1, 1] }

let folder: Awaited<ReturnType<typeof testFolder>>
let photos: { path: string }[]

beforeAll(async () => {
  const names = Array.from({ length: 30 }, (_, index) => `${index}.jpg`)
  const files = await Promise.all(names.map(async (name, seed) => [name, await testPhoto(seed)] as const))
  folder = await testFolder(Object.fromEntries(files))
  photos = names.map((name) => ({ path: join(folder.path, name) }))
})
afterAll(() => folder.remove())

/** A network on a clock that only it moves; `cost` of a run from the first pixel of its input and its number. */
function onClock(cost: (first: number, run: number) => number): {
  network: Network
  now: () => number
  seen: number[]
} {
  let [clock, runs] = [0, 0]
  const seen: number[] = []
  const network: Network = {
    size: 8,
    run: async (images, count) => {
      expect(count).toBe(1)
      seen.push(images[0]!)
      clock += cost(images[0]!, runs++)
      return [{ logits: new Float32Array(2), known: null, features: null }]
    },
    release: async () => {},
  }
  return { network, now: () => clock, seen }
}

it('times each view alone, as often as the others, and lets no single slow run count', async () => {
  // The first run, which sets up, and one on the way are slow.
  const { network, now, seen } = onClock((_, run) => (run === 0 || run === 40 ? 1000 : 3))
  const costs = await measureViewCosts(network, photos, { preprocessing, views: sixViews, now })
  expect(costs).toEqual({ milliseconds: [3, 3, 3, 3, 3, 3], photos: 24 })
  expect(seen).toHaveLength(1 + 24 * 6)
})

it('tells a dear view from a cheap one, whichever comes first', async () => {
  const { network, now, seen } = onClock(() => 1)
  const one = photos.slice(0, 1)
  const same = Array.from({ length: 6 }, () => one[0]!)
  await measureViewCosts(network, same, { preprocessing, views: sixViews, now })
  // By turns: the second photo begins with the second view.
  const [upright, mirrored] = seen.slice(1)
  expect(upright).not.toBe(mirrored)
  expect(seen[7]).toBe(mirrored)
  expect(seen[12]).toBe(upright)

  const dear = onClock((first) => (first === mirrored ? 5 : 1))
  const costs = await measureViewCosts(dear.network, same, { preprocessing, views: sixViews, now: dear.now })
  expect(costs).toEqual({ milliseconds: [1, 5, 1, 1, 1, 1], photos: 6 })
})

it('counts resizing to the view that asks for a scale first', async () => {
  let calls = 0
  const { network } = onClock(() => 0)
  // Every look at the clock is a millisecond later: one for the run, one more for a resize.
  const now = (): number => calls++
  const costs = await measureViewCosts(network, photos, { preprocessing, views: sixViews, now })
  expect(costs.milliseconds).toEqual([2, 1, 2, 1, 1, 1])
})
