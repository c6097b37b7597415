import { describe, expect, it } from 'vitest'
import { recipes } from '../recipe/recipes/index.ts'
import { recipeSchema } from '../recipe/checks.ts'
import { findingsOf, type Doubtful, type RunFacts } from './facts.ts'
import type { JudgedPhoto } from '../labels/doubtful.ts'

const labels = ['aster', 'rose', 'tulip']

const photo = (id: string, index: number, scores: readonly number[], split: JudgedPhoto['split'] = 'valid') => ({
  sample: { id, path: `/${id}`, label: labels[index]!, index },
  split,
  scores: Float32Array.from(scores),
})

const valid = [
  photo('a1', 0, [0.9, 0.05, 0.05]),
  photo('a2', 0, [0.6, 0.3, 0.1]),
  photo('a3', 0, [0.3, 0.5, 0.2]),
  photo('a4', 0, [0.01, 0.95, 0.04]),
  photo('a5', 0, [0.2, 0.7, 0.1]),
  photo('a6', 0, [0.25, 0.6, 0.15]),
  photo('r1', 1, [0.1, 0.8, 0.1]),
  photo('r2', 1, [0.02, 0.97, 0.01]),
  photo('t1', 2, [0.5, 0.1, 0.4]),
  photo('t2', 2, [0.1, 0.2, 0.7]),
]
const train = [
  photo('x1', 0, [0.99, 0.01, 0], 'train'),
  photo('x2', 1, [0, 1, 0], 'train'),
  photo('x3', 1, [0.995, 0.005, 0], 'train'),
]

const facts: RunFacts = {
  recipe: recipeSchema.parse(recipes.demo),
  labels,
  counts: { train: [150, 40, 3], valid: [6, 2, 2] },
  splitBy: 'given',
  source: 'flowers',
  sha256: 'ff',
  excluded: [],
  audit: null,
  history: { phases: [], sweep: [] },
  checkpoint: { phase: 'full', epoch: 0, size: 64 },
  parameters: 1,
  environment: {},
  valid,
  train,
  outOfFold: null,
}

const ids = (photos: readonly JudgedPhoto[]): string[] => photos.map(({ sample }) => sample.id)

it('finds what there is to say of the photos', async () => {
  const findings = await findingsOf(facts)
  expect(findings.measures.top1).toMatchObject({ value: 0.5, count: 10 })
  expect(findings.groups).toMatchObject({ many: { recall: 2 / 6 }, medium: { recall: 1 }, few: { recall: 0.5 } })
  expect(findings.wrong).toBe(5)
  expect(ids(findings.mistakes)).toEqual(['a4', 'a5', 'a6', 'a3', 't1'])
  // The surest three of four, then the surest right answer of each class.
  const [first, second] = findings.pairs
  expect(first).toMatchObject({ truth: 0, predicted: 1, photos: 4 })
  expect(ids(first!.wrong)).toEqual(['a4', 'a5', 'a6'])
  expect(ids(first!.examples)).toEqual(['a1', 'r2'])
  expect(second).toMatchObject({ truth: 2, predicted: 0, photos: 1 })
  expect(findings.bins.reduce((sum, { photos }) => sum + photos, 0)).toBe(10)
})

describe('labels in doubt', () => {
  const doubted = (doubtful: Doubtful) => doubtful.photos.map(({ photo, suggested }) => [photo.sample.id, suggested])

  it('are those that the network contradicts', async () => {
    const { doubtful } = await findingsOf(facts)
    expect(doubtful.train.total).toBe(1)
    expect(doubted(doubtful.train)).toEqual([['x3', 0]])
    expect(doubted(doubtful.valid)).toEqual([
      ['a4', 1],
      ['a5', 1],
      ['a6', 1],
      ['a3', 1],
      ['t1', 0],
    ])
  })

  it('are those of a head that has not seen them, where one is heard', async () => {
    const outOfFold = [photo('x1', 0, [0.1, 0.2, 0.7], 'train'), photo('x2', 1, [0.2, 0.8, 0], 'train'), valid[6]!]
    const { doubtful } = await findingsOf({ ...facts, outOfFold })
    expect(doubted(doubtful.train)).toEqual([['x1', 2]])
    expect(doubtful.valid).toEqual({ photos: [], total: 0 })
  })
})
