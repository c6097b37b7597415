import { argmax, mergeViews, softmax, viewPolicies } from '@flowers/shared/model/views'
import { describe, expect, it } from 'vitest'
import { inferViews, type ViewSource } from './views.ts'

const of = 6

function logitsOf(seed: number, sharpness: number): number[][] {
  let state = seed
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  return Array.from({ length: of }, () => Array.from({ length: 4 }, () => sharpness * random()))
}

/** Records what is started together; a view takes as many turns of the event loop as its place from the end. */
function runner(logits: number[][], spare = 0) {
  const started: number[][] = []
  const use: ViewSource = {
    spare: () => spare,
    run: (indices) => {
      started.push([...indices])
      return indices.map(async (index) => {
        for (let turn = index; turn < of; turn++) await new Promise(setImmediate)
        return logits[index]!
      })
    },
  }
  return { use, started }
}

const confident = Array.from({ length: of }, () => [9, 0, 0, 0])
const unsure = Array.from({ length: of }, () => [0.1, 0, 0, 0])

describe('inferViews', () => {
  it('starts the views that the policy needs together, and no other when they decide', async () => {
    const { use, started } = runner(confident, 2)
    expect(await inferViews({ policy: 'exact', of }, use)).toMatchObject({ used: 4, of })
    expect(started).toEqual([[0, 1, 2, 3]])
  })

  it.each([
    [0, [[0, 1, 2, 3], [4], [5]]],
    [1, [[0, 1, 2, 3], [4], [5]]],
    [
      2,
      [
        [0, 1, 2, 3],
        [4, 5],
      ],
    ],
    [
      9,
      [
        [0, 1, 2, 3],
        [4, 5],
      ],
    ],
  ])('with %i idle workers starts views that may be needless as %j', async (spare, expected) => {
    const { use, started } = runner(unsure, spare)
    expect(await inferViews({ policy: 'exact', of }, use)).toMatchObject({ used: 6 })
    expect(started).toEqual(expected)
  })

  it('gives the label of all views with exact, and the same sums in whatever order views end', async () => {
    const used = new Set<number>()
    for (let seed = 1; seed <= 300; seed++) {
      const logits = logitsOf(seed, 1 + (seed % 12))
      const full = mergeViews(logits.map((view) => softmax(view)))
      const exact = await inferViews({ policy: 'exact', of }, runner(logits, seed % 3).use)
      expect(argmax(exact.probabilities)).toBe(argmax(full))
      used.add(exact.used)
      const all = await inferViews({ policy: 'full', of }, runner(logits, seed % 3).use)
      expect(all.probabilities).toEqual(full)
    }
    expect([...used].sort((a, b) => a - b)).toEqual([4, 5, 6])
  })

  it('rejects with the error of a view, and starts no other', async () => {
    for (const policy of viewPolicies) {
      const { use, started } = runner(unsure)
      const run: ViewSource['run'] = (indices) => {
        started.push([...indices])
        return indices.map(() => Promise.reject(new Error('lost')))
      }
      await expect(inferViews({ policy, of }, { ...use, run })).rejects.toThrow('lost')
      expect(started).toHaveLength(1)
    }
  })
})
