import { expect, it } from 'vitest'
import { matrixOf } from './matrix.ts'
import { knownOf, nearestCosine, rejectorScore, signedRoots, unitAlong } from './rejector.ts'

it('takes roots of sizes and keeps signs', () => {
  expect([...signedRoots([4, -9, 0])]).toEqual([2, -3, 0])
})

it('adds the evidence of the features to the log-odds of the best class', () => {
  const trained = {
    form: 'trained',
    temperature: 2,
    weights: Float64Array.of(0.5, 2),
    logitWeight: 0.5,
    shift: -1,
  } as const
  // Log-odds of two classes are the difference of their logits, here 4 / 2.
  const view = { logits: [5, 1], features: Float32Array.of(4, -9) }
  expect(rejectorScore(trained, view)).toBeCloseTo(0.5 * 2 + 2 * -3 + 0.5 * 2 - 1, 12)
  expect(knownOf(trained, view)).toBeCloseTo(1 / (1 + Math.exp(5)), 12)
})

const directions = matrixOf([
  [1, 0, 0],
  [0, 1, 0],
])
const nearest = {
  directions,
  prototypes: matrixOf([
    [1, 0],
    [0, 1],
    [0.6, 0.8],
    [-1, 0],
    [-0.6, 0.8],
    [0, -1],
  ]),
  perClass: 3,
  neighbour: 2,
}

it('divides what lies along the directions by the length of all', () => {
  expect([...unitAlong([2, 1, 2], directions)]).toEqual([2 / 3, 1 / 3])
  expect([...unitAlong([0, 0, 0], directions)]).toEqual([0, 0])
})

it('holds a picture against the prototypes of the best class alone', () => {
  const features = Float32Array.of(1, 0, 0)
  // Cosines 1, 0 and 0.6 in class 0; -1, -0.6 and 0 in class 1.
  expect(nearestCosine({ logits: [2, 1], features }, nearest)).toBeCloseTo(0.6, 6)
  expect(nearestCosine({ logits: [1, 2], features }, nearest)).toBeCloseTo(-0.6, 6)
  expect(nearestCosine({ logits: [2, 2], features }, nearest)).toBeCloseTo(0.6, 6)
})
