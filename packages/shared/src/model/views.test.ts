import { describe, expect, it } from 'vitest'
import { argmax, decided, earliestStop, marginOf, mergeViews, runViews, softmax, type ViewPolicy } from './views.ts'
import { oneView, scalesOf, sixViews, threeViews } from '../image/view.ts'

describe('softmax', () => {
  it('is exp over its sum, also for logits that would overflow', () => {
    const [a, b] = softmax([0, Math.log(3)])
    expect(a).toBeCloseTo(0.25, 12)
    expect(b).toBeCloseTo(0.75, 12)
    expect([...softmax([1000, 1000, -1000])]).toEqual([0.5, 0.5, 0])
  })
})

describe('argmax and marginOf', () => {
  it('take the first of equal values', () => {
    expect(argmax([0.2, 0.4, 0.4])).toBe(1)
    expect(marginOf([0.2, 0.4, 0.4])).toBe(0)
    expect(marginOf([0.1, 0.7, 0.2])).toBeCloseTo(0.5, 12)
    expect(marginOf([0.7, 0.2, 0.1])).toBeCloseTo(0.5, 12)
    expect(argmax([])).toBe(-1)
  })
})

describe('mergeViews', () => {
  it('is the mean, class by class', () => {
    expect([
      ...mergeViews([
        [0.5, 0.5],
        [1, 0],
      ]),
    ]).toEqual([0.75, 0.25])
  })

  it('refuses views of different lengths, and none', () => {
    expect(() => mergeViews([[1], [0.5, 0.5]])).toThrow(RangeError)
    expect(() => mergeViews([])).toThrow(RangeError)
  })
})

describe('decided', () => {
  it('needs a lead above the views that remain', () => {
    expect(decided([3.9, 0.1], 4, 6)).toBe(true)
    expect(decided([3, 1], 4, 6)).toBe(false)
    expect(decided([2, 2], 4, 6)).toBe(false)
    expect(decided([1, 0], 1, 2)).toBe(false)
    expect(decided([3, 3], 6, 6)).toBe(true)
  })

  it('is false whenever views still to come can change the label', () => {
    const random = randomOf(7)
    let reversible = 0
    const wrong: object[] = []
    for (let trial = 0; trial < 20_000; trial++) {
      const of = 2 + Math.floor(random() * 6)
      const used = 1 + Math.floor(random() * (of - 1))
      const views = Array.from({ length: used }, () => distribution(random, 3))
      const sums = mergeViews(views).map((mean) => mean * used)
      // The worst that can follow: every remaining view is sure of the second best class.
      const best = argmax(sums)
      const rival = argmax(sums.map((sum, index) => (index === best ? -1 : sum)))
      const worst = [
        ...views,
        ...Array.from({ length: of - used }, () => [0, 1, 2].map((index) => Number(index === rival))),
      ]
      if (argmax(mergeViews(worst)) === best) continue
      reversible++
      if (decided(sums, used, of)) wrong.push({ sums, used, of })
    }
    expect(reversible).toBeGreaterThan(1000)
    expect(wrong).toEqual([])
  })
})

describe('the sets of views', () => {
  it('begin with the plain view and hold no view twice', () => {
    for (const views of [oneView, threeViews, sixViews]) {
      expect(views[0]).toEqual({ flip: 'none', scale: 1 })
      expect(new Set(views.map((view) => JSON.stringify(view))).size).toBe(views.length)
    }
    expect(scalesOf(sixViews)).toHaveLength(2)
    expect(scalesOf(threeViews)).toEqual([1])
  })
})

describe('runViews', () => {
  const run = (policy: ViewPolicy, views: ArrayLike<number>[], lead?: number[]) =>
    runViews({ policy, of: views.length, fast: lead ? { lead } : null }, (index) => views[index]!)

  it('uses all views, one view, or as many as decide', async () => {
    const sure = Array.from({ length: 6 }, () => [0.01, 0.98, 0.01])
    expect(await run('full', sure)).toMatchObject({ used: 6, of: 6 })
    expect(await run('none', sure)).toMatchObject({ used: 1, of: 6 })
    expect(await run('exact', sure)).toMatchObject({ used: 4, of: 6 })
    expect(await run('fast', sure, [0.99, 0.9, 2, 2, 2, 2])).toMatchObject({ used: 2 })
    expect(await run('fast', sure)).toMatchObject({ used: 4 })
    expect(await run('exact', sure.slice(0, 1))).toMatchObject({ used: 1, of: 1 })
  })

  it('with policy exact gives the label of all views, whatever they are', async () => {
    const random = randomOf(42)
    const used = new Map<number, number>()
    for (let trial = 0; trial < 4000; trial++) {
      const classes = 2 + Math.floor(random() * 4)
      const of = 1 + Math.floor(random() * 7)
      const kind = trial % 4
      const views = Array.from({ length: of }, (_, index) => {
        if (kind === 0) return distribution(random, classes)
        if (kind === 1) return peaked(classes, Math.floor(random() * 2), 0.9 + random() / 10)
        // Adversarial: sure of one class, then sure of another; ends in exact ties when halves are equal.
        if (kind === 2) return peaked(classes, index < of / 2 ? 1 : 0, 1)
        return Float32Array.from(peaked(classes, index % 3 === 2 ? 1 : 0, 0.5 + Math.round(random() * 4) / 8))
      })
      const full = await run('full', views)
      const exact = await run('exact', views)
      expect(argmax(exact.probabilities)).toBe(argmax(full.probabilities))
      expect(exact.used).toBeGreaterThanOrEqual(earliestStop('exact', of))
      if (exact.used < of) used.set(of, (used.get(of) ?? 0) + 1)
    }
    expect([...used.keys()].length).toBeGreaterThan(3)
  })

  it('gives the mean of the views it used, and asks for no other', async () => {
    const asked: number[] = []
    const result = await runViews({ policy: 'exact', of: 6 }, (index) => {
      asked.push(index)
      return Promise.resolve(index % 2 ? [1, 0] : [0.9, 0.1])
    })
    expect(asked).toEqual([0, 1, 2, 3])
    expect(result.probabilities[0]).toBeCloseTo(0.95, 12)
  })

  it('never stops before earliestStop', async () => {
    const sure = Array.from({ length: 6 }, () => [0, 1])
    for (const policy of ['full', 'exact', 'none', 'fast'] as const) {
      const lead = [2, 0.9, 0.5, 0.5, 0.5, 0.5]
      expect((await run(policy, sure, lead)).used).toBe(earliestStop(policy, 6, { lead }))
    }
  })

  it('passes on what a view throws, and refuses what is not a number', async () => {
    await expect(runViews({ policy: 'full', of: 2 }, () => Promise.reject(new Error('stopped')))).rejects.toThrow(
      'stopped',
    )
    await expect(run('full', [softmax([NaN, 1])])).rejects.toMatchObject({ code: 'MODEL_OUTPUT' })
  })
})

/** mulberry32, in [0, 1). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function distribution(random: () => number, classes: number): Float64Array {
  return softmax(Array.from({ length: classes }, () => random() * 8))
}

function peaked(classes: number, best: number, probability: number): number[] {
  return Array.from({ length: classes }, (_, index) =>
    index === best ? probability : (1 - probability) / (classes - 1),
  )
}
