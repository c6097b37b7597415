import { expect, it } from 'vitest'
import { whyNotFitted } from './why-not-fitted.ts'

it('says how many photos there are, and what would do', () => {
  expect(whyNotFitted({ valid: 87, choosing: 'half', train: 500 })).toBe(
    '87 validation photos are too few; 200, or `--folds 5`, would do',
  )
})

it('promises nothing of folds where even all training photos are too few', () => {
  expect(whyNotFitted({ valid: 12, choosing: 'half', train: 99 })).toBe(
    '12 validation photos are too few; 200, or 100 training photos and `--folds 5`, would do',
  )
})

it('says where enough photos all chose', () => {
  expect(whyNotFitted({ valid: 300, choosing: 'all', train: 500 })).toBe(
    'all 300 validation photos chose the checkpoint; `data.selection=half`, or `--folds 5`, would do',
  )
})

it('asks for other photos where a model is calibrated anew', () => {
  expect(whyNotFitted({ valid: 40, choosing: 'none', train: 500 })).toBe(
    '40 photos are too few; 200 that the model has not learnt from would do',
  )
})
