import { expect, it } from 'vitest'
import { emaDecay } from './ema.ts'

it('warms up as timm does and stops at the decay asked for', () => {
  const options = { decay: 0.999, power: 2 / 3 }
  expect(emaDecay(options, 1)).toBe(0)
  expect(emaDecay(options, 8)).toBeCloseTo(0.75, 12)
  expect(emaDecay(options, 27)).toBeCloseTo(1 - 1 / 9, 12)
  expect(emaDecay(options, 31_622)).toBeLessThan(0.999)
  expect(emaDecay(options, 31_625)).toBe(0.999)
})
