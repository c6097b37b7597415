import { expect, it } from 'vitest'
import { override } from './override.ts'

it.each([
  ['a field at any depth', { a: { b: 1, c: 2 } }, { a: { b: 3 } }, { a: { b: 3, c: 2 } }],
  ['an object of the same kind', { kind: 'x', a: 1 }, { kind: 'x', b: 2 }, { kind: 'x', a: 1, b: 2 }],
  ['an object of another kind whole', { kind: 'x', a: 1 }, { kind: 'y', b: 2 }, { kind: 'y', b: 2 }],
  ['a list whole', { a: [1, 2] }, { a: [3] }, { a: [3] }],
  ['an object by null', { a: { b: 1 } }, { a: null }, { a: null }],
  ['null by an object', { a: null }, { a: { b: 1 } }, { a: { b: 1 } }],
])('overrides %s', (_, base, change, expected) => {
  expect(override(base, change)).toEqual(expected)
})
