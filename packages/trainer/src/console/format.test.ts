import { expect, it } from 'vitest'
import { duration, percent } from './format.ts'

it('writes shares and times for people', () => {
  expect(percent(0.9753)).toBe('97.5 %')
  expect([0.4, 59.4, 59.6, 185, 7620].map(duration)).toEqual(['0 s', '59 s', '1 min 00 s', '3 min 05 s', '2 h 07 min'])
})
