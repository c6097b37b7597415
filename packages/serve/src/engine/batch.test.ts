import { expect, it } from 'vitest'
import { chooseBatch, warmUpFor } from './batch.ts'

it('is 1 when nothing was measured', () => {
  expect(chooseBatch([])).toBe(1)
})

it('is the smallest size near the least seconds a view, over all workers', () => {
  expect(chooseBatch([{ 1: 1, 2: 1.95, 4: 3.8 }])).toBe(1)
  expect(chooseBatch([{ 1: 1, 2: 1.4, 4: 2.7 }])).toBe(2)
  expect(chooseBatch([{ 1: 1, 2: 1.4, 4: 1.6 }])).toBe(4)
  expect(
    chooseBatch([
      { 1: 1, 2: 1 },
      { 1: 1, 2: 2.9 },
    ]),
  ).toBe(1)
})

it('takes sizes that every worker measured', () => {
  expect(chooseBatch([{ 1: 1, 2: 1 }, { 1: 1 }])).toBe(1)
})

it('warms up what will be run', () => {
  expect(warmUpFor(1).batches).toEqual([1])
  expect(warmUpFor(4).batches).toEqual([1, 4])
})
