import { expect, it } from 'vitest'
import type { Dataset } from '../dataset/dataset.ts'
import { surveyPhotos } from './survey.ts'

const sample = (index: number, id: string) => ({ id, index, path: `/photos/${id}`, label: `class ${index}` })
const sizes: Record<string, { width: number; height: number }> = {
  a: { width: 3000, height: 2000 },
  b: { width: 300, height: 400 },
  c: { width: 1000, height: 4000 },
}

/** A dataset of which an audit knows these sizes. */
function datasetOf(train: readonly (readonly [number, string])[], valid: number): Dataset {
  const samples = train.map(([index, id]) => sample(index, id))
  return {
    labels: ['class 0', 'class 1'],
    train: samples,
    valid: Array.from({ length: valid }, (_, place) => sample(0, `valid ${place}`)),
    files: new Map(samples.map(({ id }) => [id, { sha256: id, bytes: 1 }])),
    verified: { get: (sha256: string) => sizes[sha256] },
  } as unknown as Dataset
}

const how = { seed: 1, selection: 'half' } as const

it('counts photos by class and takes the median of their shorter sides', () => {
  const photos = [
    [0, 'a'],
    [0, 'b'],
    [1, 'c'],
    [1, 'with a flaw'],
  ] as const
  expect(surveyPhotos(datasetOf(photos, 5), how)).toEqual({ counts: [2, 2], valid: 5, shortSide: 1000 })
})

it('counts those validation photos that choose', () => {
  expect(surveyPhotos(datasetOf([], 400), how).valid).toBe(200)
  expect(surveyPhotos(datasetOf([], 400), { ...how, selection: 'all' }).valid).toBe(400)
})
