import { Random } from '@flowers/shared/random'
import { expect, it } from 'vitest'
import { evenOddsWeights, fitPlatt } from './even-odds.ts'

it('lets both sides count the same, and each group of others', () => {
  const pictures = [null, null, null, 'things', 'plants', 'plants', 'plants', 'plants'].map((group) => ({ group }))
  const weights = evenOddsWeights(pictures)
  const sum = (group: string | null): number =>
    pictures.reduce((total, picture, place) => total + (picture.group === group ? weights[place]! : 0), 0)
  expect(sum(null)).toBeCloseTo(4, 12)
  expect(sum('things')).toBeCloseTo(2, 12)
  expect(sum('plants')).toBeCloseTo(2, 12)
})

it('finds the log-odds at even odds, whatever the numbers of both sides', () => {
  const random = new Random(2, 'calibration')
  // Normal scores around 1 and -1 with deviation 1 have the log-odds 2 x score.
  const sides = [...Array<null>(4000).fill(null), ...Array<string>(1000).fill('things')]
  const scores = sides.map((group) => random.normal() + (group === null ? 1 : -1))
  const pictures = sides.map((group) => ({ group }))
  const { slope, shift } = fitPlatt(scores, pictures)!
  expect(Math.abs(slope - 2)).toBeLessThan(0.2)
  expect(Math.abs(shift)).toBeLessThan(0.15)
  expect(
    fitPlatt(
      scores.map((score) => -score),
      pictures,
    ),
  ).toBeNull()
})
