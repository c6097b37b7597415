import { describe, expect, it } from 'vitest'
import { scheduleFactor } from './schedule.ts'

describe('scheduleFactor', () => {
  it('stays at one when fixed', () => {
    expect(scheduleFactor({ kind: 'fixed' }, { step: 77, stepsPerEpoch: 10, epochs: 9 })).toBe(1)
  })

  const cosine = { kind: 'cosine', warmupEpochs: 2, minimum: 0.1 } as const
  const at = (step: number) => scheduleFactor(cosine, { step, stepsPerEpoch: 10, epochs: 12 })

  it('rises linearly in the warm-up', () => {
    expect(at(0)).toBeCloseTo(1 / 21, 12)
    expect(at(9)).toBeCloseTo(10 / 21, 12)
    expect(at(19)).toBeCloseTo(20 / 21, 12)
  })

  it('follows half a cosine from one to the minimum', () => {
    expect(at(20)).toBe(1)
    expect(at(45)).toBeCloseTo(0.1 + 0.9 * 0.5 * (1 + Math.SQRT1_2), 12)
    expect(at(70)).toBeCloseTo(0.55, 12)
    expect(at(120)).toBeCloseTo(0.1, 12)
    expect(at(500)).toBeCloseTo(0.1, 12)
  })
})
