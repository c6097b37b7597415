import { expect, it } from 'vitest'
import { abstentionThreshold } from './abstention.ts'

const confidences = Array.from({ length: 40 }, (_, index) => (index + 1) / 40)

it('lets the given share of right answers fall below', () => {
  const fitted = abstentionThreshold(confidences, Array<boolean>(40).fill(true), 0.05)
  // Two of 40 may fall below: the third smallest is the threshold.
  expect(fitted).toEqual({ threshold: 3 / 40, count: 40 })
})

it('looks at right answers only', () => {
  const right = confidences.map((_, index) => index % 2 === 1)
  expect(abstentionThreshold(confidences, right, 0.1)).toEqual({ threshold: 6 / 40, count: 20 })
})

it('is not fitted when the share is less than one photo', () => {
  expect(abstentionThreshold(confidences.slice(0, 19), Array<boolean>(19).fill(true), 0.05)).toBeNull()
  expect(abstentionThreshold([], [], 0.05)).toBeNull()
})
