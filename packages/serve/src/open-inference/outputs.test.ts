import { expect, it } from 'vitest'
import { outputsOf } from './outputs.ts'

const known = { form: 'nearest', threshold: 0.5, refusedShare: 0.05, count: 200, isCalibrated: false } as const

it.each([
  ['that refuses nothing by it', null, ['logits'], ['probabilities']],
  ['of an earlier release', undefined, ['logits'], ['probabilities']],
  ['whose known is no probability', known, ['logits', 'known'], ['probabilities']],
  ['that has calibrated it', { ...known, isCalibrated: true }, ['logits', 'known'], ['probabilities', 'known']],
])('the outputs of a model %s', (_, refuses, ofPixels, ofImages) => {
  expect(outputsOf('pixel_values', { known: refuses })).toEqual(ofPixels)
  expect(outputsOf('image', { known: refuses })).toEqual(ofImages)
})
