import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { mapAhead } from './map-ahead.ts'

async function collect<R>(results: AsyncIterable<R>): Promise<R[]> {
  const all: R[] = []
  for await (const result of results) all.push(result)
  return all
}

describe('mapAhead', () => {
  it('keeps the order whatever finishes first', async () => {
    const results = mapAhead([30, 1, 20, 2], 3, async (delay) => setTimeout(delay, delay))
    expect(await collect(results)).toEqual([30, 1, 20, 2])
  })

  it('has at most `ahead` under way, and as many', async () => {
    let underWay = 0
    let most = 0
    const work = async (): Promise<void> => {
      most = Math.max(most, ++underWay)
      await setTimeout(2)
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

  it('begins nothing more once the reader has left', async () => {
    const begun: number[] = []
    for await (const item of mapAhead(Array(10).keys(), 2, async (each) => begun.push(each))) {
      if (item === 2) break
    }
    expect(begun).toEqual([0, 1, 2])
  })
})
