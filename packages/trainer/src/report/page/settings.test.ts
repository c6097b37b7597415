import { expect, it } from 'vitest'
import { flatten } from './settings.ts'

it('names settings by their dotted paths', () => {
  expect(flatten({ a: 1, b: { c: 'x', d: null, e: { f: true } }, g: [1, 2] })).toEqual([
    ['a', '1'],
    ['b.c', 'x'],
    ['b.d', 'null'],
    ['b.e.f', 'true'],
    ['g', '[1,2]'],
  ])
})
