import { expect, it } from 'vitest'
import { twinLabels } from './twin-labels.ts'

it.each([
  ['Rose', 'rose', 'capital letters'],
  ['rose ', 'rose', 'spaces, dashes or underscores'],
  ['colts foot', 'colts\tfoot', 'spaces, dashes or underscores'],
  ['colts\u00a0foot', 'colts foot', 'spaces, dashes or underscores'],
  ['colts-foot', 'colts_foot', 'spaces, dashes or underscores'],
  ['coltsfoot', 'colts\u2013foot', 'spaces, dashes or underscores'],
  ['ros\u00e9', 'rose\u0301', 'the form of their Unicode letters'],
  ['\uff52ose', 'rose', 'the form of their Unicode letters'],
  ['r\u043ese', 'rose', 'letters of other alphabets that look alike'],
  ['ro\u200bse', 'rose', 'characters that cannot be seen'],
  ['2019-rose', '2020-rose', 'the number in front'],
  ['1 rose', 'rose', 'the number in front'],
  ['01_rose', 'rose', 'the number in front'],
  ['1. rose', '2) rose', 'the number in front'],
  ['1', '01', 'the number in front'],
  ['01_Rose', 'rose', 'capital letters and the number in front'],
  ['oxeye-Daisy', 'Oxeye daisy', 'capital letters and spaces, dashes or underscores'],
])('%j and %j differ in nothing that makes two flowers', (one, other, differIn) => {
  expect(twinLabels([one, 'tulip', other])).toEqual([{ labels: [one, other], differIn }])
})

it('names all of a kind together', () => {
  expect(twinLabels(['Rose', 'rose', 'tulip', 'ROSE']).map(({ labels }) => labels)).toEqual([['Rose', 'rose', 'ROSE']])
})

it.each([
  [['0', '1', '2', '10']],
  [['2.5', '3.5']],
  [['rose 1', 'rose 2']],
  [['resé', 'rose', 'rosé']],
  [['-', '_', ' ']],
  [['роза', 'rose']],
  [['__proto__', 'constructor', 'toString', 'valueOf']],
])('%j are different', (labels) => {
  expect(twinLabels(labels)).toEqual([])
})
