import { expect, it } from 'vitest'
import { noBest, shouldStop, updateBest } from './early-stopping.ts'

/** Epochs run before the stop, for these accuracies. */
function epochsRun(accuracies: number[], options: { patience: number; minEpochs: number; threshold: number }): number {
  let best = noBest
  for (const [epoch, accuracy] of accuracies.entries()) {
    best = updateBest(best, accuracy, epoch, options.threshold).best
    if (shouldStop(options, best, epoch)) return epoch + 1
  }
  return accuracies.length
}

it('waits as long as its patience after the best epoch', () => {
  expect(epochsRun([0.5, 0.6, 0.6, 0.55, 0.6, 0.6, 0.6], { patience: 3, minEpochs: 0, threshold: 1e-4 })).toBe(5)
})

it('does not stop within the protected period', () => {
  expect(epochsRun([0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4], { patience: 2, minEpochs: 6, threshold: 0 })).toBe(6)
})

it('takes a gain below the threshold as no gain, but keeps its weights', () => {
  expect(epochsRun([0.5, 0.50001, 0.50002, 0.50003], { patience: 2, minEpochs: 0, threshold: 1e-4 })).toBe(3)
  expect(updateBest({ accuracy: 0.5, epoch: 0, waited: 0 }, 0.50001, 1, 1e-4)).toEqual({
    best: { accuracy: 0.50001, epoch: 1, waited: 1 },
    improved: true,
  })
})

it('never stops without options', () => {
  expect(shouldStop(null, { accuracy: 0, epoch: 0, waited: 999 }, 999)).toBe(false)
})
