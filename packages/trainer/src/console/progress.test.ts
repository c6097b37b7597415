import { afterEach, expect, it, vi } from 'vitest'
import { createProgress, type EpochSummary } from './progress.ts'

const summary: EpochSummary = {
  phase: 'full',
  epoch: 8,
  epochs: 10,
  loss: 1.25,
  trainAccuracy: 0.5,
  validLoss: 1,
  validAccuracy: 0.75,
  ttaAccuracy: null,
  best: true,
  learningRate: 2e-3,
  backboneLearningRate: 3e-4,
  seconds: 7,
}

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

it('says the rates of head and backbone at the end of an epoch', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  createProgress(false).epochEnd(summary)
  createProgress(true).epochEnd({ ...summary, backboneLearningRate: 0 })
  expect(log.mock.calls).toEqual([
    ['full  9/10  loss 1.250  train 50.0 %  valid 75.0 % *  loss 1.000  lr 2.0e-3/3.0e-4  7 s'],
    ['full  9/10  loss 1.250  train 50.0 %  valid 75.0 % *  loss 1.000  lr 2.0e-3/0  7 s'],
  ])
})

it('says them within a long epoch', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const progress = createProgress(false)
  progress.epochStart('full', 8, 10, 100)
  vi.advanceTimersByTime(31_000)
  const { learningRate, backboneLearningRate } = summary
  const step = { done: 40, of: 100, imagesPerSecond: 12, loss: 1.25, accuracy: 0.5, remaining: 90 }
  progress.step({ ...step, learningRate, backboneLearningRate })
  expect(log.mock.calls).toEqual([
    ['full 9/10 step 40/100  12 images/s  loss 1.250  lr 2.0e-3/3.0e-4  1 min 30 s left in this phase'],
  ])
})
