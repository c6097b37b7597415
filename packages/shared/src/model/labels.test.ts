import { expect, it } from 'vitest'
import { id2label, label2id, labelOfFolder } from './labels.ts'

it.each([
  ['012-colts-foot', 'colts-foot'],
  ['1-rose', 'rose'],
  ['rose', 'rose'],
  ['rose-12', 'rose-12'],
  ['12', '12'],
  ['12-', '12-'],
  ['12_rose', '12_rose'],
  ['01-02-name', '02-name'],
])('the label of folder %s is %s', (folder, label) => {
  expect(labelOfFolder(folder)).toBe(label)
})

it('maps indices and labels both ways', () => {
  expect(id2label(['a', 'b'])).toEqual({ '0': 'a', '1': 'b' })
  expect(label2id(['a', 'b'])).toEqual({ a: 0, b: 1 })
})
