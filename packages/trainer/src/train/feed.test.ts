import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDataset, type Dataset } from '../dataset/dataset.ts'
import { PhotoCache } from '../input/photo-cache.ts'
import type { Model } from '../model/architecture.ts'
import { noMix, strongAugment } from '../recipe/defaults.ts'
import { recipeDefaults, reportPhases } from '../testing/test-recipe.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'
import { photoFeed, streamEpoch, type FeedBatch } from './feed.ts'
import { startOf } from './position.ts'
import type { TrainingVariables } from './variables.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
let dataset: Dataset
beforeAll(async () => {
  const photos = await Promise.all(Array.from({ length: 12 }, (_, seed) => testPhoto(seed)))
  folder = await testFolder(
    Object.fromEntries(
      photos.map((photo, index) => [`${index < 9 ? 'train' : 'valid'}/${index % 3}/${index}.jpg`, photo]),
    ),
  )
  dataset = await openDataset(folder.path, { seed: 1 })
})
afterAll(() => folder.remove())

const phase = {
  ...reportPhases.full,
  size: 16,
  batch: 2,
  augment: { ...strongAugment, horizontalFlip: 0, verticalFlip: 0, strength: { from: 0, to: 1 } },
  mix: noMix,
}

const start = startOf('full', { precision: 'float32' })

/** A feed without TensorFlow, and the steps at which it showed its inputs. */
function open() {
  const shown: number[] = []
  const recipe = {
    ...recipeDefaults,
    name: 'test',
    precision: 'float32' as const,
    model: { architecture: 'none' } as never,
    phases: { ...reportPhases, full: phase },
  }
  const { signal } = new AbortController()
  const context = {
    folder: folder.path,
    recipe,
    dataset,
    model: {} as Model,
    photos: new PhotoCache(),
    teacher: null,
    board: {} as never,
    signal,
  }
  const show = async (_: unknown, step: number): Promise<void> => void shown.push(step)
  return { shown, feed: photoFeed(context, 'full', {} as TrainingVariables, show) }
}

async function collect(batches: AsyncIterable<FeedBatch>): Promise<{ labels: number[]; packed: number[] }[]> {
  const all: { labels: number[]; packed: number[] }[] = []
  for await (const { labels, packed } of batches) all.push({ labels: [...labels], packed: [...packed] })
  return all
}

it('goes on at any step of an epoch with the batches it would have had', async () => {
  const whole = await collect(open().feed.batches({ ...start, epoch: 5, updates: 1 }))
  expect(whole).toHaveLength(4)
  expect(await collect(open().feed.batches({ ...start, epoch: 5, step: 2, updates: 1 }))).toEqual(whole.slice(2))
  expect(await collect(open().feed.batches({ ...start, epoch: 6, updates: 1 }))).not.toEqual(whole)
})

it('augments more from epoch to epoch where the strength is a ramp', async () => {
  const distinct = async (epoch: number) => {
    const [batch] = await collect(open().feed.batches({ ...start, epoch, updates: 1 }))
    const { packed } = batch!
    return packed.slice(0, packed.length / 2).join() !== packed.slice(packed.length / 2).join()
  }
  expect([await distinct(0), await distinct(phase.epochs - 1)]).toEqual([false, true])
})

it('shows its inputs once, unless updates were made before', async () => {
  const { feed, shown } = open()
  const position = { ...start, earlierUpdates: 30 }
  await collect(feed.batches(position))
  await collect(feed.batches({ ...position, epoch: 1 }))
  expect(shown).toEqual([30])
  const later = open()
  await collect(later.feed.batches({ ...position, step: 1, updates: 1 }))
  expect(later.shown).toEqual([])
})

it('addresses random numbers by phase and epoch', () => {
  expect(streamEpoch({ phase: 'full', epoch: 3 }) - streamEpoch({ phase: 'full', epoch: 2 })).toBe(1)
  expect(streamEpoch({ phase: 'head', epoch: 3 })).not.toBe(streamEpoch({ phase: 'full', epoch: 3 }))
})
