import { expect, it } from 'vitest'
import { measure, mostConfused } from './measure.ts'

const answer = (label: number, ...mean: number[]) => ({ label, mean: Float64Array.from(mean) })

// Answers 0, 0, 1, 2 for truth 0, 1, 1, 0.
const answers = [answer(0, 0.7, 0.2, 0.1), answer(1, 0.5, 0.4, 0.1), answer(1, 0.2, 0.6, 0.2), answer(0, 0.1, 0.3, 0.6)]

it('measures with intervals around the value', async () => {
  const { top1, top5, macroF1, confusion, classes } = await measure(answers, 3, 1)
  expect(top1).toMatchObject({ value: 0.5, count: 4 })
  expect(top5).toMatchObject({ value: 1, high: 1 })
  // Class 0: precision 1/2, recall 1/2; class 1: precision 1, recall 1/2, F1 2/3; class 2 has no photos.
  expect(macroF1.value).toBeCloseTo((0.5 + 2 / 3) / 2, 12)
  for (const share of [top1, top5, macroF1]) {
    expect(share.low).toBeLessThan(share.value)
    expect(share.high).toBeGreaterThanOrEqual(share.value)
  }
  expect(confusion).toEqual([
    { truth: 0, predicted: 0, photos: 1 },
    { truth: 0, predicted: 2, photos: 1 },
    { truth: 1, predicted: 0, photos: 1 },
    { truth: 1, predicted: 1, photos: 1 },
  ])
  expect(classes[1]).toMatchObject({ precision: 1, recall: 0.5, photos: 2 })
})

it('has an interval of macro-F1 with one photo a class, and one around the value with many', async () => {
  const one = (await measure([answer(0, 0.9, 0.1), answer(1, 0.9, 0.1)], 2, 1)).macroF1
  expect(one.high).toBeGreaterThan(one.low)
  // 50 classes of 5 photos, every fifth answer wrong: resampled without classes, some would vanish.
  const many = Array.from({ length: 250 }, (_, photo) => {
    const label = Math.floor(photo / 5)
    const given = photo % 5 === 0 ? (label + 1) % 50 : label
    return answer(label, ...Array.from({ length: 50 }, (_, index) => Number(index === given)))
  })
  const { value, low, high } = (await measure(many, 50, 1)).macroF1
  expect(value).toBeCloseTo(0.8, 10)
  expect(low).toBeLessThan(value)
  expect(high).toBeGreaterThan(value)
})

it('lists the most frequent confusions', () => {
  const confusion = [
    { truth: 0, predicted: 0, photos: 5 },
    { truth: 0, predicted: 1, photos: 1 },
    { truth: 1, predicted: 0, photos: 3 },
    { truth: 1, predicted: 2, photos: 1 },
  ]
  expect(mostConfused(confusion, 2)).toEqual([
    { truth: 1, predicted: 0, photos: 3 },
    { truth: 0, predicted: 1, photos: 1 },
  ])
})
