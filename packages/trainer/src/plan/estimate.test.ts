import { expect, it } from 'vitest'
import type { Sample } from '../dataset/dataset.ts'
import { VerifiedPhotos } from '../dataset/verified-photos.ts'
import { estimateAccuracy, estimated, estimateRecord, estimateWords } from './estimate.ts'

const labels = ['rose', 'tulip']
const sampleOf = (name: number): Sample => {
  const index = name % labels.length
  return { id: `${labels[index]}/${name}.jpg`, path: `/${name}.jpg`, label: labels[index]!, index }
}

/** Photos whose features tell their classes apart, but for those whose features are of the other class. */
async function datasetOf(train: number, valid: number) {
  const samples = Array.from({ length: train + valid }, (_, name) => sampleOf(name))
  const files = new Map(samples.map(({ id }) => [id, { sha256: id, bytes: 1 }]))
  const verified = await VerifiedPhotos.open(null, '/')
  return { labels, train: samples.slice(0, train), valid: samples.slice(train), files, verified }
}

function featuresWith(wrong: (sample: Sample) => boolean) {
  const asked: number[] = []
  const features: NonNullable<Parameters<typeof estimateAccuracy>[1]['features']> = async ({ samples }) => {
    asked.push(samples.length)
    return samples.map((sample, place) => {
      const side = (sample.index === 0 ? 1 : -1) * (wrong(sample) ? -1 : 1)
      return Float32Array.from({ length: 4 }, (_, column) => (column === 0 ? 3 * side : Math.sin(place * 7 + column)))
    })
  }
  return { asked, features }
}

const log = (): void => {}

it('says how often a head names photos rightly that it has not seen, with its interval and their number', async () => {
  const { features } = featuresWith(({ path }) => Number(/\d+/.exec(path)![0]) % 10 === 0)
  const estimate = await estimateAccuracy(await datasetOf(160, 40), { log, features })
  expect(estimate).toMatchObject({ value: 0.9, count: 200 })
  expect(estimate!.low).toBeGreaterThan(0.84)
  expect(estimate!.high).toBeLessThan(0.94)
  expect(estimateWords(estimate!)).toMatch(
    /^estimate before training: a linear head .* names 90\.0 % \(8\S+ % to 9\S+ %\) of 200 photos rightly, by 5 folds;/,
  )
  expect(estimateRecord(estimate!)).toMatchObject({ event: 'estimate', folds: 5, value: 0.9, count: 200 })
})

it('looks at some hundreds of photos at most, and at none where they are few', async () => {
  const { asked, features } = featuresWith(() => false)
  expect((await estimateAccuracy(await datasetOf(500, 100), { log, features }))!.count).toBe(estimated.most)
  expect(await estimateAccuracy(await datasetOf(40, 9), { log, features })).toBeNull()
  expect(await estimateAccuracy(await datasetOf(160, 40), { most: 49, log, features })).toBeNull()
  expect(asked).toEqual([estimated.most])
})
