import { argmax, mergeViews, softmax, viewPolicies } from '@flowers/shared/views'
import { describe, expect, it } from 'vitest'
import { inferViews } from './views.ts'
import type { ViewRunner } from './views.ts'

const of = 6

function logitsOf(seed: number, sharpness: number): number[][] {
  let state = seed
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  return Array.from({ length: of }, () => Array.from({ length: 4 }, () => sharpness * random()))
}

/** Records the batches; each takes one turn of the event loop. */
function runner(logits: number[][], options: Partial<ViewRunner> = {}, spares = 0) {
  const batches: number[][] = []
  let free = spares
  let running = 0
  let most = 0
  const use: ViewRunner = {
    batch: 1,
    signal: new AbortController().signal,
    spare: () => (free > 0 ? (free--, () => void free++) : null),
    run: async (indices) => {
      batches.push([...indices])
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
      return indices.map((index) => logits[index]!)
    },
    ...options,
  }
  return { use, batches, free: () => free, most: () => most }
}

const confident = Array.from({ length: of }, () => [9, 0, 0, 0])

describe('inferViews', () => {
  it.each([
    [1, 0, [[0], [1], [2], [3]]],
    [
      2,
      0,
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [4, 0, [[0, 1, 2, 3]]],
    [
      4,
      1,
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [1, 9, [[0], [1], [2], [3]]],
  ])('with batches of %i and %i spare workers runs the views that exact needs', async (batch, spares, expected) => {
    const { use, batches, free, most } = runner(confident, { batch }, spares)
    expect(await inferViews({ policy: 'exact', of }, use)).toMatchObject({ used: 4, of })
    expect(batches).toEqual(expected)
    expect(free()).toBe(spares)
    expect(most()).toBe(Math.min(spares + 1, 4, expected.length))
  })

  it('runs views one by one once they may be needless', async () => {
    const unsure = Array.from({ length: of }, () => [0.1, 0, 0, 0])
    const { use, batches } = runner(unsure, { batch: 4 }, 0)
    expect(await inferViews({ policy: 'exact', of }, use)).toMatchObject({ used: 6 })
    expect(batches).toEqual([[0, 1, 2, 3], [4], [5]])
  })

  it('gives the label of all views with exact, and the same sums however views are spread', async () => {
    const used = new Set<number>()
    for (let seed = 1; seed <= 300; seed++) {
      const logits = logitsOf(seed, 1 + (seed % 12))
      const full = mergeViews(logits.map((view) => softmax(view)))
      const exact = await inferViews({ policy: 'exact', of }, runner(logits, { batch: 1 + (seed % 4) }, seed % 3).use)
      expect(argmax(exact.probabilities)).toBe(argmax(full))
      used.add(exact.used)
      const all = await inferViews({ policy: 'full', of }, runner(logits, { batch: 1 + (seed % 4) }, seed % 3).use)
      expect(all.probabilities).toEqual(full)
    }
    expect([...used].sort((a, b) => a - b)).toEqual([4, 5, 6])
  })

  it('starts no view after an abort, and gives spare workers back', async () => {
    for (const policy of viewPolicies.filter((name) => name !== 'none')) {
      const controller = new AbortController()
      const { use, batches, free } = runner(confident, { signal: controller.signal }, 1)
      const run = use.run
      const failing = inferViews(
        { policy, of },
        { ...use, run: (indices) => (controller.abort(new Error('gone')), run(indices)) },
      )
      await expect(failing).rejects.toThrow('gone')
      expect(batches.length).toBeLessThanOrEqual(2)
      await new Promise(setImmediate)
      expect(free()).toBe(1)
    }
  })

  it('rejects with the error of a run, and starts no other', async () => {
    let runs = 0
    const run = (): Promise<never> => {
      runs++
      return Promise.reject(new Error('lost'))
    }
    const { use, free } = runner(confident, { run }, 2)
    await expect(inferViews({ policy: 'full', of }, use)).rejects.toThrow('lost')
    await new Promise(setImmediate)
    expect(runs).toBeLessThanOrEqual(3)
    expect(free()).toBe(2)
  })
})
