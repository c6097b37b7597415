import { expect, it } from 'vitest'
import { classWeightsOf, watchPrior } from './prior.ts'

const photos = (...counts: number[]) =>
  counts.flatMap((count, index) =>
    Array.from({ length: count }, () => ({ id: '', path: '', label: `${index}`, index })),
  )
const dataset = { labels: ['a', 'b'], train: photos(90, 10), valid: photos(1, 1) }
const plain = { samplerPower: 1, classWeightBeta: null, focalGamma: 0 }

it('has class weights by the training photos of each class, or none', () => {
  expect(classWeightsOf(plain, dataset)).toBeNull()
  const [frequent, rare] = classWeightsOf({ ...plain, classWeightBeta: 0.99 }, dataset)!
  expect(rare! / frequent!).toBeCloseTo((1 - 0.99 ** 90) / (1 - 0.99 ** 10), 9)
})

it('is the natural prior without corrections, and says nothing of it after an epoch', () => {
  const warnings: string[] = []
  const watch = watchPrior(plain, dataset, (line) => warnings.push(line))
  expect(watch.atStart()).toEqual({
    effectivePrior: [0.9, 0.1],
    effectivePriorSlope: expect.closeTo(1, 12) as number,
  })
  expect(watch.afterEpoch([0.5, 0.5])).toEqual({})
  expect(warnings).toEqual([])
})

it('warns once that the focal loss of rare classes takes the prior beyond balance', () => {
  const warnings: string[] = []
  const watch = watchPrior({ ...plain, samplerPower: 0, focalGamma: 1 }, dataset, (line) => warnings.push(line))
  expect(watch.atStart().effectivePriorSlope).toBeCloseTo(0, 12)
  expect(warnings).toEqual([])
  // The focal loss leaves 0.2 of the first class and 0.8 of the second.
  for (let epoch = 0; epoch < 2; epoch++) {
    expect(watch.afterEpoch([0.8, 0.2]).effectivePrior).toEqual([
      expect.closeTo(0.2, 12) as number,
      expect.closeTo(0.8, 12) as number,
    ])
  }
  expect(warnings).toEqual([expect.stringContaining('sampler, class weights and focal loss')])
})
