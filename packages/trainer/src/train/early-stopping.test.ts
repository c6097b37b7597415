import { describe, expect, it } from 'vitest'
import { bestAtStart, isKept, noBest, shouldStop, updateBest, type Judging } from './early-stopping.ts'

const judging: Judging = { criterion: 'accuracy', threshold: 0, startsTrained: true }

/** Epochs run before the stop, for these accuracies. */
function epochsRun(accuracies: number[], options: { patience: number; minEpochs: number; threshold: number }): number {
  let best = noBest
  for (const [epoch, accuracy] of accuracies.entries()) {
    best = updateBest(best, { accuracy, loss: 1 }, epoch, { ...judging, threshold: options.threshold }).best
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
  expect(updateBest(best, { accuracy: 0.50001, loss: 2 }, 1, { ...judging, threshold: 1e-4 })).toEqual({
    best: { ...best, accuracy: 0.50001, loss: 2, epoch: 1, top: 0.50001, waited: 1 },
    improved: true,
  })
})

it('keeps the epoch with the least loss where that is asked for, and waits for accuracy all the same', () => {
  const byLoss = { ...judging, criterion: 'loss' } as const
  const epochs = [
    { accuracy: 0.94, loss: 1.05 },
    { accuracy: 0.92, loss: 0.3 },
    { accuracy: 0.93, loss: 0.25 },
    { accuracy: 0.93, loss: 0.26 },
  ]
  let best = noBest
  const improvements = epochs.map((epoch, index) => {
    const result = updateBest(best, epoch, index, byLoss)
    best = result.best
    return result.improved
  })
  expect(improvements).toEqual([true, true, true, false])
  expect(best).toEqual({ accuracy: 0.93, loss: 0.25, epoch: 2, top: 0.94, waited: 3, floor: 0 })
})

it('never stops without options', () => {
  expect(shouldStop(null, { ...noBest, waited: 999 }, 999)).toBe(false)
})

/** What is kept after epochs of these scores: -1 is the start. */
function keptAfter(
  start: { accuracy: number; loss: number },
  epochs: readonly { accuracy: number; loss: number }[],
  change: Partial<Judging> = {},
) {
  const how = { ...judging, ...change }
  let end = bestAtStart(start, how.startsTrained)
  for (const [epoch, score] of epochs.entries()) end = updateBest(end, score, epoch, how).best
  return isKept(end, how) ? end.epoch : null
}

describe('a start that was trained', () => {
  it('loses a tie of accuracy to a smaller loss, and wins one against a larger', () => {
    expect(keptAfter({ accuracy: 0.8, loss: 0.5 }, [{ accuracy: 0.8, loss: 0.4 }])).toBe(0)
    expect(keptAfter({ accuracy: 0.8, loss: 0.5 }, [{ accuracy: 0.8, loss: 0.6 }])).toBe(-1)
  })

  it('stays the best where a smaller loss costs accuracy', () => {
    const start = { accuracy: 24 / 31, loss: 0.9 }
    const falling = [
      { accuracy: 23 / 31, loss: 0.8 },
      { accuracy: 22 / 31, loss: 0.7 },
    ]
    expect(keptAfter(start, falling, { criterion: 'loss' })).toBe(-1)
    expect(keptAfter(start, [...falling, start, { ...start, loss: 0.85 }], { criterion: 'loss' })).toBe(3)
  })

  it('is replaced where its loss is no number', () => {
    expect(keptAfter({ accuracy: 0.3, loss: NaN }, [{ accuracy: 0, loss: 3 }])).toBe(0)
  })
})

describe('a start that was not trained', () => {
  const untrained = { startsTrained: false }
  const lucky = { accuracy: 1, loss: 0.01 }

  it.each(['accuracy', 'loss'] as const)('never wins by %s, however it does', (criterion) => {
    expect(keptAfter(lucky, [{ accuracy: 0.1, loss: 2 }], { ...untrained, criterion })).toBe(0)
    const epochs = [
      { accuracy: 0.1, loss: 2 },
      { accuracy: 0.2, loss: 1 },
    ]
    expect(keptAfter(lucky, epochs, { ...untrained, criterion })).toBe(1)
  })

  it('leaves nothing to keep where no epoch has a loss that is a number', () => {
    expect(keptAfter(lucky, [{ accuracy: 1, loss: NaN }], untrained)).toBeNull()
  })

  it('uses up no patience', () => {
    const { best } = updateBest(bestAtStart(lucky, false), { accuracy: 0.5, loss: 1 }, 0, { ...judging, ...untrained })
    expect(best.waited).toBe(0)
  })

  it('loses in a state that an earlier release saved, too', () => {
    const earlier = { accuracy: 1, loss: 0.9, epoch: -1, top: 1, waited: 4, floor: 0 }
    const { improved } = updateBest(earlier, { accuracy: 1, loss: 1 }, 5, { ...judging, ...untrained })
    expect(improved).toBe(true)
  })
})
