import { expect, it } from 'vitest'
import { levelsOf } from './levels.ts'

const known = { form: 'trained', threshold: 0.5, refusedShare: 0.05, count: 100, isCalibrated: true } as const
const calibration = {
  temperature: null,
  conformal: { coverage: 0.95, threshold: [0.8], count: 100 },
  known,
  fastLead: null,
}
const answer = (best: number, share: number, label = 0) => ({
  label,
  mean: Float64Array.of(best, 1 - best),
  scores: Float64Array.of(best, 1 - best),
  used: 1,
  known: share,
})

it('counts answers by level, and how many of them are right', () => {
  const answers = [answer(0.9, 0.9), answer(0.9, 0.9, 1), answer(0.7, 0.9), answer(0.9, 0.1)]
  const { none, sure, perhaps } = levelsOf(answers, { labels: ['a', 'b'], calibration })
  expect(none).toMatchObject({ share: { value: 0.25, count: 4 }, accuracy: { value: 1, count: 1 } })
  expect(sure).toMatchObject({ share: { value: 0.5 }, accuracy: { value: 0.5, count: 2 } })
  expect(perhaps).toMatchObject({ share: { value: 0.25 }, accuracy: { value: 1, count: 1 } })
})

it('says nothing of answers that there are none of', () => {
  const { none, perhaps } = levelsOf([answer(0.9, 0.1)], {
    labels: ['a', 'b'],
    calibration: { ...calibration, known: null },
  })
  expect(none).toMatchObject({ share: { value: 0, low: 0 }, accuracy: null })
  expect(perhaps.share.value).toBe(1)
})
