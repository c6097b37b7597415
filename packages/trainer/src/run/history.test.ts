import { expect, it } from 'vitest'
import { parseHistory } from './history.ts'

const phase = { event: 'phase', phase: 'full', size: 64, validAccuracy: 0.1, validLoss: 3 }
const epoch = {
  event: 'epoch',
  phase: 'full',
  epoch: 0,
  epochs: 2,
  loss: 2,
  trainAccuracy: 0.4,
  validLoss: 1.5,
  validAccuracy: 0.5,
  ttaAccuracy: null,
  best: true,
  learningRate: 0.001,
  seconds: 3,
}

it('groups epochs by phase and passes over what it does not know', () => {
  const lines = [phase, epoch, { event: 'note', size: 96 }, { ...epoch, epoch: 1 }, { ...phase, phase: 'fixres' }]
  const text = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"event":"epo`
  expect(parseHistory(text)).toMatchObject({
    phases: [
      { phase: 'full', size: 64, effectivePrior: null, epochs: [{ epoch: 0 }, { epoch: 1 }] },
      { phase: 'fixres', epochs: [] },
    ],
    sweep: [],
  })
})

it('keeps phases and epochs whose validation loss was not a number', () => {
  const lines = [
    { ...phase, validLoss: NaN },
    { ...epoch, validLoss: NaN },
  ]
  const { phases } = parseHistory(lines.map((line) => JSON.stringify(line)).join('\n'))
  expect(phases).toMatchObject([{ validLoss: null, epochs: [{ validLoss: null, seconds: 3 }] }])
})

it('has each line of a sweep once, as written last', () => {
  const line = { event: 'sweep', phase: 'full', size: 96, views: 1, validAccuracy: 0.5, validLoss: 1 }
  const lines = [phase, epoch, line, { ...line, size: 64 }, { ...line, validAccuracy: 0.6 }]
  const { sweep } = parseHistory(lines.map((entry) => JSON.stringify(entry)).join('\n'))
  expect(sweep.map(({ size, validAccuracy }) => [size, validAccuracy])).toEqual([
    [96, 0.6],
    [64, 0.5],
  ])
})
