import { describe, expect, it } from 'vitest'
import { noPlateau, rampValue, scheduleFactor, updatePlateau, type Schedule } from './schedule.ts'

const at = (schedule: Schedule, step: number, plateauFactor = 1) =>
  scheduleFactor(schedule, { step, stepsPerEpoch: 10, epochs: 12, plateauFactor })

describe('scheduleFactor', () => {
  it('stays at one when fixed', () => {
    expect(at({ kind: 'fixed' }, 77)).toBe(1)
  })

  const cosine = { kind: 'cosine', warmupEpochs: 2, minimum: 0.1 } as const

  it('rises linearly in the warm-up', () => {
    expect([0, 9, 19].map((step) => at(cosine, step))).toEqual([1 / 21, 10 / 21, 20 / 21])
  })

  it('follows half a cosine from one to the minimum', () => {
    expect(at(cosine, 20)).toBe(1)
    expect(at(cosine, 45)).toBeCloseTo(0.1 + 0.9 * 0.5 * (1 + Math.SQRT1_2), 12)
    expect(at(cosine, 70)).toBeCloseTo(0.55, 12)
    expect(at(cosine, 120)).toBeCloseTo(0.1, 12)
    expect(at(cosine, 500)).toBeCloseTo(0.1, 12)
  })

  it('restarts after each cycle, every cycle longer', () => {
    const restarts = { kind: 'restarts', warmupEpochs: 1, cycleEpochs: 2, growth: 2, minimum: 0 } as const
    expect(at(restarts, 10)).toBe(1)
    expect(at(restarts, 20)).toBeCloseTo(0.5, 12)
    expect(at(restarts, 29)).toBeLessThan(0.01)
    expect(at(restarts, 30)).toBe(1)
    expect(at(restarts, 50)).toBeCloseTo(0.5, 12)
    expect(at(restarts, 70)).toBe(1)
  })
})

describe('plateau', () => {
  const plateau = { kind: 'plateau', warmupEpochs: 0, factor: 0.5, patience: 1, threshold: 0.01, minimum: 0.2 } as const
  const after = (accuracies: number[]) =>
    accuracies.reduce((state, accuracy) => updatePlateau(plateau, state, accuracy), noPlateau)

  it('lowers the rate when accuracy stands still for longer than the patience', () => {
    expect(after([0.5, 0.6, 0.605]).factor).toBe(1)
    expect(after([0.5, 0.6, 0.605, 0.6]).factor).toBe(0.5)
    expect(after([0.5, 0.6, 0.605, 0.6, 0.7, 0.7, 0.7]).factor).toBe(0.25)
  })

  it('never goes below the minimum', () => {
    expect(at(plateau, 5, 0.125)).toBe(0.2)
    expect(at(plateau, 5, 0.5)).toBe(0.5)
  })

  it('leaves other schedules alone', () => {
    expect(updatePlateau({ kind: 'fixed' }, noPlateau, 0.1)).toBe(noPlateau)
  })
})

it('stays, or moves linearly from the first epoch to the last', () => {
  expect(rampValue(0.3, 7, 10)).toBe(0.3)
  const ramp = { from: 0.1, to: 0.02 }
  expect([0, 2, 4, 9].map((epoch) => rampValue(ramp, epoch, 5))).toEqual(
    [0.1, 0.06, 0.02, 0.02].map((value) => expect.closeTo(value, 12) as number),
  )
  expect(rampValue(ramp, 0, 1)).toBeCloseTo(0.02, 12)
})
