import { expect, it } from 'vitest'
import { rampValue } from './ramp.ts'

it('stays, or moves linearly from the first epoch to the last', () => {
  expect(rampValue(0.3, 7, 10)).toBe(0.3)
  const ramp = { from: 0.1, to: 0.02 }
  expect([0, 2, 4, 9].map((epoch) => rampValue(ramp, epoch, 5))).toEqual(
    [0.1, 0.06, 0.02, 0.02].map((value) => expect.closeTo(value, 12) as number),
  )
  expect(rampValue(ramp, 0, 1)).toBeCloseTo(0.02, 12)
})
