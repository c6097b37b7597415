import { expect, it } from 'vitest'
import { doubtfulLabels } from './label-errors.ts'

it('doubts a label where another class is likelier, the least likely label first', () => {
  const rows = [
    [0.9, 0.1, 0],
    [0.1, 0.85, 0.05],
    [0.4, 0.6, 0],
    [0.5, 0.5, 0],
    [0, 0.3, 0.7],
  ]
  const doubtful = doubtfulLabels(rows, [0, 0, 0, 0, 0])
  expect(doubtful.map(({ photo, suggested }) => [photo, suggested])).toEqual([
    [4, 2],
    [1, 1],
    [2, 1],
  ])
})

it('of labels that are as unlikely doubts the one first that has the likelier other class', () => {
  const rows = [
    [0.1, 0.5, 0.4],
    [0.1, 0.8, 0.1],
    [0.1, 0.5, 0.4],
  ]
  expect(doubtfulLabels(rows, [0, 0, 0]).map(({ photo }) => photo)).toEqual([1, 0, 2])
})
