import { describe, expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { dealFolds, outOfFold } from './out-of-fold.ts'

describe('folds', () => {
  const labels = Array.from({ length: 60 }, (_, photo) => (photo < 40 ? 0 : photo < 57 ? 1 : 2))
  const groups = [
    [0, 1, 2],
    [10, 45],
  ]

  it('have as many photos of each class, and keep together what belongs together', () => {
    const foldOf = dealFolds(labels, { folds: 5, seed: 1, groups })
    for (const group of groups) expect(new Set(group.map((photo) => foldOf[photo])).size).toBe(1)
    for (const label of [0, 1]) {
      const counts = Array.from(
        { length: 5 },
        (_, fold) => labels.filter((own, photo) => own === label && foldOf[photo] === fold).length,
      )
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2)
    }
    // Three photos of a class are in three folds.
    expect(new Set(foldOf.slice(57)).size).toBe(3)
  })

  it('depend on the seed and on nothing else', () => {
    const deal = (seed: number) => dealFolds(labels, { folds: 5, seed, groups })
    expect(deal(1)).toEqual(deal(1))
    expect(deal(1)).not.toEqual(deal(2))
  })
})

describe('answers out of fold', () => {
  const classes = 3
  const random = new Random(1, 'drawing')
  const truth = Array.from({ length: 90 }, (_, photo) => photo % classes)
  const features = truth.map((label) => Array.from({ length: 8 }, (_, d) => random.normal() + (d === label ? 4 : 0)))
  const options = { folds: 5, seed: 1, groups: [] }

  it('find labels that are wrong, as no photo is asked about its own', async () => {
    const wrong = [4, 31, 77]
    const labels = truth.map((label, photo) => (wrong.includes(photo) ? (label + 1) % classes : label))
    const answers = await outOfFold(features, labels, classes, options)
    const doubted = answers.flatMap((row, photo) =>
      row!.some((value) => value > row![labels[photo]!]!) ? [photo] : [],
    )
    expect(doubted).toEqual(expect.arrayContaining(wrong))
    expect(doubted.length).toBeLessThan(9)
    for (const row of answers) expect(row!.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9)
  })

  it('are the same again, and stop when they are asked to', async () => {
    expect(await outOfFold(features, truth, classes, options)).toEqual(
      await outOfFold(features, truth, classes, options),
    )
    const reason = new Error('enough')
    const stopped = outOfFold(features, truth, classes, { ...options, signal: AbortSignal.abort(reason) })
    await expect(stopped).rejects.toBe(reason)
  })

  it('say nothing of a photo that is the only one of its class, or whose class is nothing but its copies', async () => {
    const labels = [...truth.slice(0, 60), 3, 4, 4]
    const answers = await outOfFold(features.slice(0, 63), labels, 5, { ...options, groups: [[61, 62]] })
    expect(answers.slice(60)).toEqual([null, null, null])
    expect(answers.slice(0, 60).every((row) => row !== null)).toBe(true)
    expect(await outOfFold(features.slice(0, 2), [0, 1], 2, options)).toEqual([null, null])
    expect(await outOfFold([], [], 2, options)).toEqual([])
  })

  it('are even where the features tell nothing', async () => {
    const answers = await outOfFold(
      truth.map(() => [1, 2, 3]),
      truth,
      classes,
      options,
    )
    for (const row of answers) for (const value of row!) expect(value).toBeCloseTo(1 / 3, 1)
  })
})
