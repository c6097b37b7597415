import { expect, it } from 'vitest'
import type { Position } from '../run/state.ts'
import { afterEpoch, afterStep, isUntrained, startOf, trainedSoFar, updatesOf } from './position.ts'

const result = { loss: 2, correct: 3, gradientNorm: 1 }
const update = { photos: 4, complete: true }
const plain: Position = { ...startOf('full', { precision: 'float32' }), epoch: 1, step: 5, updates: 7 }
const scaled: Position = { ...plain, lossScale: { value: 1024, good: 6 } }

it('starts where the phases before it ended, with a loss scale in float16 alone', () => {
  const leader = { phase: 'head', accuracy: 0.7, loss: 1 } as const
  const start = startOf('full', { precision: 'float16' }, 123, { seconds: 9, updates: 40, leader })
  expect(start).toMatchObject({ epoch: 0, step: 0, updates: 0, metricsBytes: 123, seconds: 9 })
  expect([start.leader, start.before]).toEqual([leader, leader])
  expect(start.lossScale).toEqual({ value: 65_536, good: 0 })
  expect(updatesOf({ ...start, updates: 2 })).toBe(42)
  expect(plain.lossScale).toBeNull()
  expect([isUntrained(start), isUntrained(afterStep(start, result, update)!)]).toEqual([true, false])
})

it('counts photos by their number and updates by their completion', () => {
  const half = afterStep(plain, result, { photos: 4, complete: false })!
  expect(half).toEqual({ ...plain, step: 6, sums: { loss: 8, correct: 3, seen: 4, skipped: 0 } })
  const whole = afterStep(half, { ...result, loss: 5 }, { photos: 2, complete: true })!
  expect(whole).toMatchObject({ step: 7, updates: 8 })
  expect(trainedSoFar(whole)).toEqual({ loss: 3, accuracy: 1 })
})

it('changes nothing but the loss scale when an update overflows', () => {
  for (const gradientNorm of [Infinity, NaN]) {
    const { step, sums, lossScale, ...rest } = afterStep(scaled, { ...result, gradientNorm }, update)!
    const { step: before, sums: _, lossScale: __, ...unchanged } = scaled
    expect(rest).toEqual(unchanged)
    expect(lossScale).toEqual({ value: 512, good: 0 })
    expect([step, sums]).toEqual([before + 1, { loss: 8, correct: 3, seen: 4, skipped: 1 }])
  }
})

it('keeps the scale until the update of a gradient that overflowed is due', () => {
  const accumulated = afterStep(scaled, { ...result, gradientNorm: Infinity }, { photos: 4, complete: false })!
  expect(accumulated).toMatchObject({ lossScale: { value: 1024, good: 6 }, sums: { skipped: 0 } })
})

it('leaves photos out of the means whose loss is not finite', () => {
  const { sums } = afterStep(scaled, { loss: NaN, correct: 3, gradientNorm: NaN }, update)!
  expect(sums).toEqual({ loss: 0, correct: 0, seen: 0, skipped: 1 })
})

it.each([
  ['without a loss scale', null],
  ['with a scale that cannot fall', { value: 1, good: 9 }],
])('has diverged %s when loss or gradient is not finite', (_, lossScale) => {
  expect(afterStep({ ...plain, lossScale }, { ...result, loss: NaN }, update)).toBeNull()
  expect(afterStep({ ...plain, lossScale }, { ...result, gradientNorm: Infinity }, update)).toBeNull()
})

it('begins an epoch with empty sums', () => {
  const changed = { best: plain.best, plateau: plain.plateau, metricsBytes: 5, seconds: 2 }
  const next = afterEpoch(afterStep(plain, result, update)!, changed)
  expect(next).toEqual({ ...plain, ...changed, epoch: 2, step: 0, updates: 8 })
})
