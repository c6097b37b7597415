import { expect, it } from 'vitest'
import { reportPhases } from '../testing/test-recipe.ts'
import type { Phase } from '../recipe/schema.ts'
import { hyperparameters, learningRates, type Course } from './hyperparameters.ts'
import { startOf } from './position.ts'

const phase: Phase = {
  ...reportPhases.full,
  epochs: 3,
  accumulate: 2,
  ema: { decay: 0.9, power: 1 },
  labelSmoothing: { from: 0.2, to: 0 },
  learningRate: {
    backbone: 0.01,
    head: 0.1,
    schedule: { kind: 'cosine', warmupEpochs: 1, minimum: 0 },
  },
}
const course: Course = { name: 'full', phase, seed: 4, stepsPerEpoch: 5, trainsBackbone: true }
const start = startOf('full', { precision: 'float32' })

it('accumulates the micro-steps of an update, fewer at the end of an epoch', () => {
  const steps = Array.from({ length: 5 }, (_, step) => hyperparameters(course, { ...start, step }))
  expect(steps.map(({ scalars }) => scalars.accumulated)).toEqual([2, 2, 2, 2, 1])
  expect(steps.map(({ complete }) => complete)).toEqual([false, true, false, true, true])
})

it('counts updates for rates and moments, epochs for the ramp', () => {
  const { scalars } = hyperparameters(course, { ...start, epoch: 1, updates: 3, lossScale: { value: 64, good: 0 } })
  expect(scalars).toEqual({
    headRate: 0.1,
    backboneRate: 0.01,
    beta1Power: 0.9 ** 4,
    beta2Power: 0.999 ** 4,
    averageDecay: 0.75,
    labelSmoothing: expect.closeTo(0.1, 12) as number,
    lossScale: 64,
    accumulated: 2,
  })
  const plain = hyperparameters({ ...course, phase: { ...phase, ema: null } }, start)
  expect(plain.scalars).toMatchObject({ averageDecay: 0, lossScale: 1 })
})

it('draws other noise for every micro-step, and the same again', () => {
  const seedAt = (epoch: number, step: number) => hyperparameters(course, { ...start, epoch, step }).seed.join()
  const seeds = [0, 1, 2].flatMap((epoch) => [0, 1, 2, 3, 4].map((step) => seedAt(epoch, step)))
  expect(new Set(seeds).size).toBe(15)
  expect(seedAt(1, 2)).toBe(seeds[7])
})

it('reports the rates of the last update, and those of the first before it', () => {
  // Three warm-up updates: 1/4, 2/4, 3/4.
  const head = (updates: number) => learningRates(course, { ...start, updates }).learningRate
  expect([head(0), head(1), head(2)]).toEqual([0.025, 0.025, 0.05])
  expect(learningRates({ ...course, trainsBackbone: false }, start).backboneLearningRate).toBe(0)
})

it('lowers rates by the plateaus so far', () => {
  const schedule = { kind: 'plateau', warmupEpochs: 0, factor: 0.5, patience: 0, threshold: 0, minimum: 0 } as const
  const fallen = { ...course, phase: { ...phase, learningRate: { backbone: 0.01, head: 0.1, schedule } } }
  const position = { ...start, plateau: { best: 0, waited: 0, factor: 0.25 } }
  expect(hyperparameters(fallen, position).scalars.headRate).toBe(0.025)
})
