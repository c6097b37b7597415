import { describe, expect, it } from 'vitest'
import { mapAhead } from './map-ahead.ts'

async function collect<R>(results: AsyncIterable<R>): Promise<R[]> {
  const all: R[] = []
  for await (const result of results) all.push(result)
  return all
}

describe('mapAhead', () => {
  it('keeps the order whatever finishes first', async () => {
    const ended: number[] = []
    const finish: (() => void)[] = []
    const work = async (item: number): Promise<number> => {
      await new Promise<void>((resolve) => (finish[item] = resolve))
      ended.push(item)
      return item
    }
    const collected = collect(mapAhead([0, 1, 2], 3, work))
    for (const item of [2, 0, 1]) finish[item]!()
    expect(await collected).toEqual([0, 1, 2])
    expect(ended).toEqual([2, 0, 1])
  })

  it('has at most `ahead` under way, and as many', async () => {
    let underWay = 0
    let most = 0
    const work = async (): Promise<void> => {
      most = Math.max(most, ++underWay)
      await Promise.resolve()
      underWay--
    }
    await collect(mapAhead(Array(20).keys(), 3, work))
    expect(most).toBe(3)
  })

  it('throws a failure in its turn', async () => {
    const seen: number[] = []
    const run = async (): Promise<void> => {
      const work = async (item: number): Promise<number> => {
        if (item === 2) throw new Error('two')
        return item
      }
      for await (const item of mapAhead([0, 1, 2, 3], 4, work)) seen.push(item)
    }
    await expect(run()).rejects.toThrow('two')
    expect(seen).toEqual([0, 1])
  })

  it('begins nothing more once the reader has left, and tells what is under way', async () => {
    const begun: number[] = []
    const told: boolean[] = []
    let release = (): void => {}
    const left = new Promise<void>((resolve) => (release = resolve))
    const results = mapAhead(Array(10).keys(), 2, async (item, isEnded) => {
      begun.push(item)
      if (item === 0) return
      await left
      told.push(isEnded())
    })
    await results.next()
    const leaving = results.return()
    release()
    await leaving
    expect(begun).toEqual([0, 1])
    expect(told).toEqual([true])
  })
})
