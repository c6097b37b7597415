import { expect, it } from 'vitest'
import { accumulation, updatesPerEpoch } from './accumulation.ts'

/** `of`, with a stroke where the update follows. */
const epoch = (microSteps: number, accumulate: number): string =>
  Array.from({ length: microSteps }, (_, step) => accumulation(step, microSteps, accumulate))
    .map(({ of, complete }) => `${of}${complete ? '|' : ''}`)
    .join('')

it('updates after every full set of micro-steps and at the end of an epoch', () => {
  expect(epoch(3, 1)).toBe('1|1|1|')
  expect(epoch(6, 3)).toBe('333|333|')
  expect(epoch(7, 3)).toBe('333|333|1|')
  expect(epoch(2, 8)).toBe('22|')
  expect([updatesPerEpoch(6, 3), updatesPerEpoch(7, 3), updatesPerEpoch(2, 8)]).toEqual([2, 3, 1])
})
