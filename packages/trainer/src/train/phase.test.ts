import { expect, it } from 'vitest'
import { ttaDue } from './phase.ts'

it('validates with test-time augmentation now and then, and in the last epochs', () => {
  const phase = { epochs: 25, tta: { views: 'three', everyEpochs: 10, lastEpochs: 5 } } as const
  const due = Array.from({ length: 25 }, (_, epoch) => epoch + 1).filter((epoch) => ttaDue(phase, epoch - 1))
  expect(due).toEqual([10, 20, 21, 22, 23, 24, 25])
  expect(ttaDue({ epochs: 25, tta: null }, 24)).toBe(false)
})
