import { expect, it } from 'vitest'
import { splitNamed } from './split-name.ts'

it.each([
  ['train', 'train'],
  ['Training', 'train'],
  ['VAL', 'valid'],
  ['validation', 'valid'],
  [' Valid ', 'valid'],
  ['testing', 'test'],
])('%j names %s', (name, split) => {
  expect(splitNamed(name)).toBe(split)
})

it.each(['', 'valley', 'trainee', 'dev', 'constructor', '__proto__'])('%j names none', (name) => {
  expect(splitNamed(name)).toBeUndefined()
})
