import { expect, it } from 'vitest'
import { doubtfulLabels } from './label-errors.ts'

it('doubts a label where another class reaches its own mean confidence', () => {
  // Mean own probabilities: class 0 (0.9 + 0.7 + 0.1) / 3 = 0.5667, class 1 (0.8 + 0.6) / 2 = 0.7, class 2 0.5.
  const rows = [
    [0.9, 0.1, 0],
    [0.7, 0.2, 0.1],
    [0.1, 0.85, 0.05], // 0.85 >= 0.7: confidently of class 1, labelled 0
    [0.2, 0.8, 0],
    [0.4, 0.6, 0], // of no class confidently
    [0.58, 0, 0.5 - 0.08], // 0.58 >= 0.5667: confidently of class 0; its own 0.42 < 0.5
    [0.42, 0, 0.58], // confidently of its own class alone
  ]
  const doubtful = doubtfulLabels(rows, [0, 0, 0, 1, 1, 2, 2])
  expect(doubtful.map(({ photo, suggested }) => [photo, suggested])).toEqual([
    [2, 1],
    [5, 0],
  ])
  expect(doubtful[0]!.margin).toBeCloseTo(-0.75, 12)
  expect(doubtful[1]!.margin).toBeCloseTo(-0.16, 12)
})

it('never suggests a class that has no photos', () => {
  expect(
    doubtfulLabels(
      [
        [0.1, 0, 0.9],
        [0.6, 0.4, 0],
      ],
      [0, 1],
    ).map(({ suggested }) => suggested),
  ).toEqual([0])
})
