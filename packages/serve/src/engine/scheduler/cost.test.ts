import { describe, expect, it } from 'vitest'
import { Cost, fitLine, latency, staleSeconds, work } from './cost.ts'

describe('fitLine', () => {
  it('finds the line that measurements lie on', () => {
    const { fixed, perView } = fitLine([
      { 1: 3, 2: 5, 4: 9 },
      { 1: 3, 2: 5, 4: 9 },
    ])
    expect(fixed).toBeCloseTo(1, 12)
    expect(perView).toBeCloseTo(2, 12)
  })

  it('goes through the origin when one size was measured, or when more views seem to take less', () => {
    expect(fitLine([{ 1: 2 }, { 1: 4 }])).toEqual({ fixed: 0, perView: 3 })
    expect(fitLine([{ 1: 2, 4: 1 }])).toEqual({ fixed: 0, perView: 0.6 })
    expect(fitLine([{ 1: 1, 4: 8 }])).toEqual({ fixed: 0, perView: 1.8 })
    expect(fitLine([])).toEqual({ fixed: 0, perView: 0 })
  })
})

describe('Cost', () => {
  const line = { fixed: 1, perView: 2 }

  it('follows what runs take, the first at once and later ones by a tenth', () => {
    const cost = new Cost(line, 0)
    expect(cost.seconds(2)).toBe(5)
    cost.measured(2, 10, 1)
    expect(cost.seconds(2)).toBe(10)
    expect(cost.seconds(1)).toBe(6)
    for (let count = 2; count <= 10; count++) cost.measured(2, 10, count)
    cost.measured(2, 20, 11)
    expect(cost.seconds(2)).toBeCloseTo(11, 12)
  })

  it('is stale when nothing was measured for a while, and then believes the next run', () => {
    const cost = new Cost(line, 0)
    for (let count = 1; count <= 50; count++) cost.measured(1, 30, count / 100)
    expect(cost.isStale(0.5 + staleSeconds)).toBe(false)
    expect(cost.isStale(0.6 + staleSeconds)).toBe(true)
    cost.measured(1, 3, 1 + staleSeconds)
    expect(cost.seconds(1)).toBe(3)
    expect(cost.isStale(2 + staleSeconds)).toBe(false)
  })

  it('knows nothing of a network whose runs took no time to measure', () => {
    const cost = new Cost({ fixed: 0, perView: 0 }, 0)
    cost.measured(1, 1, 1)
    expect(cost.seconds(4)).toBe(0)
  })
})

describe('latency and work', () => {
  const cost = { seconds: (views: number) => 1 + 2 * views }

  it.each([
    [6, 1, 1, 18],
    [6, 2, 1, 9],
    [5, 2, 1, 9],
    [1, 8, 4, 3],
    [6, 1, 4, 9 + 5],
    [8, 2, 4, 9],
    [9, 2, 4, 9 + 3],
  ])('of %i views on %i workers in runs of %i is %d', (views, lanes, batch, expected) => {
    expect(latency(cost, views, lanes, batch)).toBe(expected)
  })

  it('counts the time of all workers', () => {
    expect(work(cost, 6, 1)).toBe(18)
    expect(work(cost, 6, 4)).toBe((6 * 9) / 4)
  })
})
