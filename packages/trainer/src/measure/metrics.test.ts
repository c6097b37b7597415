import { describe, expect, it } from 'vitest'
import { countAnswers, macroF1, perClass } from './metrics.ts'

describe('per-class metrics', () => {
  // Answers: 0 0 0 1 1 2 for truth 0 0 1 1 1 1; class 2 has no photo, class 3 neither photo nor answer.
  const [predicted, labels] = [
    [0, 0, 0, 1, 1, 2],
    [0, 0, 1, 1, 1, 1],
  ]
  const counts = countAnswers(predicted, labels, 4)

  it('counts photos, answers and right ones by class', () => {
    expect(counts.photos).toEqual(Int32Array.of(2, 4, 0, 0))
    expect(counts.answers).toEqual(Int32Array.of(3, 2, 1, 0))
    expect(counts.right).toEqual(Int32Array.of(2, 2, 0, 0))
  })

  it('counts a photo as often as it is drawn', () => {
    const { photos, answers, right } = countAnswers(predicted, labels, 4, [5, 5, 0])
    expect([photos, answers, right].map((each) => [...each])).toEqual([
      [1, 2, 0, 0],
      [1, 0, 2, 0],
      [1, 0, 0, 0],
    ])
  })

  it('precision, recall, F1', () => {
    const [first, second, third, fourth] = perClass(counts)
    expect(first).toEqual({ precision: 2 / 3, recall: 1, f1: 0.8, photos: 2 })
    expect(second).toEqual({ precision: 1, recall: 0.5, f1: 2 / 3, photos: 4 })
    expect(third).toEqual({ precision: 0, recall: 0, f1: 0, photos: 0 })
    expect(fourth).toEqual({ precision: 0, recall: 0, f1: 0, photos: 0 })
  })

  it('macro-F1 is the mean over classes with photos', () => {
    expect(macroF1(counts)).toBeCloseTo((0.8 + 2 / 3) / 2, 12)
    expect(macroF1(countAnswers([], [], 3))).toBeNaN()
  })
})
