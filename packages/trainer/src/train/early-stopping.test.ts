import { expect, it } from 'vitest'
import { noBest, shouldStop, updateBest } from './early-stopping.ts'

/** Epochs run before the stop, for these accuracies. */
function epochsRun(accuracies: number[], options: { patience: number; minEpochs: number; threshold: number }): number {
  let best = noBest
  for (const [epoch, accuracy] of accuracies.entries()) {
    best = updateBest(best, { accuracy, loss: 1 }, epoch, { criterion: 'accuracy', threshold: options.threshold }).best
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
  const best = { ...noBest, accuracy: 0.5, loss: 1, epoch: 0, top: 0.5 }
  expect(updateBest(best, { accuracy: 0.50001, loss: 2 }, 1, { criterion: 'accuracy', threshold: 1e-4 })).toEqual({
    best: { accuracy: 0.50001, loss: 2, epoch: 1, top: 0.50001, waited: 1 },
    improved: true,
  })
})

it('keeps the epoch with the least loss where that is asked for, and waits for accuracy all the same', () => {
  const judging = { criterion: 'loss', threshold: 0 } as const
  const epochs = [
    { accuracy: 0.94, loss: 1.05 },
    { accuracy: 0.92, loss: 0.3 },
    { accuracy: 0.93, loss: 0.25 },
    { accuracy: 0.93, loss: 0.26 },
  ]
  let best = noBest
  const improvements = epochs.map((epoch, index) => {
    const result = updateBest(best, epoch, index, judging)
    best = result.best
    return result.improved
  })
  expect(improvements).toEqual([true, true, true, false])
  expect(best).toEqual({ accuracy: 0.93, loss: 0.25, epoch: 2, top: 0.94, waited: 3 })
})

it('never stops without options', () => {
  expect(shouldStop(null, { ...noBest, waited: 999 }, 999)).toBe(false)
})
