import { expect, it } from 'vitest'
import { chooseBatch, warmUpFor, wasDisturbed } from './batch.ts'

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

it('takes a measurement for disturbed when the fastest worker needs less than half of it now', () => {
  const measurement = [{ 1: 0.4 }, { 1: 0.2, 2: 0.3 }]
  expect(wasDisturbed(measurement, [{ 1: 0.3 }, { 1: 0.09 }])).toBe(true)
  expect(wasDisturbed(measurement, [{ 1: 0.3 }, { 1: 0.11 }])).toBe(false)
  expect(wasDisturbed(measurement, [{ 1: 3 }])).toBe(false)
})
