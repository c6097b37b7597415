import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '@flowers/shared/files'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDataset, openDataset, type Dataset } from '../dataset/dataset.ts'
import { drawFlowers } from '../drawn/drawn-flowers.ts'
import { scoreFold } from '../export/score-fold.ts'
import { resolveRecipe } from '../recipe/resolve-recipe.ts'
import type { Recipe } from '../recipe/schema.ts'
import { readRunData } from '../run/data-file.ts'
import { readFoldPlan } from '../run/fold-plan.ts'
import { readOutOfFold, writeFoldAnswers } from '../run/out-of-fold.ts'
import { testFolder } from '../testing/test-photos.ts'
import { testSpeed } from '../testing/test-speed.ts'
import { trainRun } from '../train/run.ts'
import { planFolds, trainFolds, type FoldsOptions } from './folds.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
let data: string
let dataset: Dataset
let recipe: Recipe
const at = (path: string): string => join(folder.path, path)

beforeAll(async () => {
  folder = await testFolder({})
  data = at('flowers')
  await drawFlowers(data, { species: 12, train: 4, valid: 1, size: 40, seed: 2 })
  dataset = await openDataset(data, { seed: 1 })
  const phases = ['head', 'full', 'fixres'].flatMap((name) => [
    `phases.${name}.size=32`,
    `phases.${name}.batch=8`,
    `phases.${name}.epochs=${name === 'full' ? 1 : 0}`,
  ])
  recipe = await resolveRecipe('demo', ['model.architecture=convnext_test', 'saveMinutes=0.0001', ...phases])
})
afterAll(() => folder.remove())

const reason = new Error('stopped by the test')

/** A progress that keeps its lines and calls back at each step. */
function listening(onStep: (lines: readonly string[]) => void = () => {}) {
  const lines: string[] = []
  const message = (line: string): void => void lines.push(line)
  return { lines, message, epochStart() {}, step: () => onStep(lines), epochEnd() {}, close() {} }
}

interface Faked extends Partial<FoldsOptions> {
  readonly progress: ReturnType<typeof listening>
}

function optionsFor(run: string, { progress, ...change }: Faked): FoldsOptions {
  return {
    folds: 3,
    run: at(run),
    data,
    recipe,
    isPlanned: true,
    progress,
    signal: new AbortController().signal,
    score: async () => {},
    ...change,
  }
}

/** Writes down what a fold's run is, as the first step of training. */
const fakeTrain =
  (trained: { folder: string; resume: boolean; train: number; test: number }[]): NonNullable<FoldsOptions['train']> =>
  async ({ folder: place, resume, prepared }) => {
    const own = prepared!.dataset
    trained.push({ folder: place, resume, train: own.train.length, test: own.test.length })
    await writeFile(join(place, 'data.json'), JSON.stringify({ source: data, ...describeDataset(own) }))
    return { phase: 'full', accuracy: 1, photos: 1, size: 32, labels: own.labels }
  }

const fakeScore: FoldsOptions['score'] = async (place, fold, hash) => {
  const answers = fold.test.map(({ id, index }) => {
    const views = [Float32Array.from(dataset.labels, (_, label) => Number(label === index))]
    return { id, sha256: fold.files.get(id)!.sha256, label: index, views }
  })
  await writeFoldAnswers(place, hash, answers)
}

it('asks each network about the photos that it did not learn from, and every photo once', async () => {
  await mkdir(at('whole'))
  const progress = listening()
  const trained: Parameters<typeof fakeTrain>[0] = []
  const options = optionsFor('whole', { progress, train: fakeTrain(trained), score: fakeScore })
  await planFolds(options, dataset)
  await trainFolds(options, { dataset, excluded: [] })
  expect(trained).toEqual(
    [1, 2, 3].map((fold) => ({ folder: at(`whole/folds/${fold}`), resume: false, train: 32, test: 16 })),
  )
  const data = { ...dataset, labels: [...dataset.labels], photos: describeDataset(dataset).photos as never }
  const { networks, photos } = (await readOutOfFold(at('whole'), data))!
  expect(networks).toBe(3)
  expect(photos.map(({ id }) => id).toSorted()).toEqual(dataset.train.map(({ id }) => id))
  expect(progress.lines.filter((line) => line.startsWith('--- fold '))).toEqual(
    [1, 2, 3].map(
      (fold) =>
        `--- fold ${fold} of 3: learns from 32 of the 48 training photos; the other 16 are asked about afterwards`,
    ),
  )
})

it('goes on where it was stopped: with the fold that was learning, with the answers that were missing', async () => {
  await mkdir(at('resumed'))
  const trained: Parameters<typeof fakeTrain>[0] = []
  const broken: FoldsOptions['score'] = async (place, fold, hash) => {
    if (place.endsWith('2')) throw reason
    await fakeScore(place, fold, hash)
  }
  const options = optionsFor('resumed', { progress: listening(), train: fakeTrain(trained), score: broken })
  await planFolds(options, dataset)
  await expect(trainFolds(options, { dataset, excluded: [] })).rejects.toBe(reason)
  await trainFolds({ ...options, score: fakeScore }, { dataset, excluded: [] })
  await trainFolds({ ...options, score: broken }, { dataset, excluded: [] })
  expect(trained.map(({ folder: place, resume }) => [place.at(-1), resume])).toEqual([
    ['1', false],
    ['2', false],
    ['2', true],
    ['3', false],
  ])
})

it('says how long all of it takes, and where too few photos are calibrated by it all the same', async () => {
  await mkdir(at('told'))
  const progress = listening()
  const measure: FoldsOptions['measure'] = async () => testSpeed
  const options = optionsFor('told', { progress, train: fakeTrain([]), score: fakeScore, isPlanned: false, measure })
  await planFolds(options, dataset)
  await trainFolds(options, { dataset, excluded: [] })
  expect(progress.lines[0]).toBe('the folds have 48 photos; with under 100 nothing will be calibrated all the same')
  expect(progress.lines[1]).toMatch(/^with 3 folds the recipe is run 4 times, .*: about .* in all$/)
})

it('refuses folds that would be empty, and batches that too few photos are left for', async () => {
  const progress = listening()
  const [first, second] = dataset.train
  const few = { ...dataset, train: [first!, { ...second!, label: first!.label, index: first!.index }] }
  await expect(planFolds(optionsFor('none', { progress }), few)).rejects.toMatchObject({ code: 'USAGE' })
  const large = { ...recipe, phases: { ...recipe.phases, full: { ...recipe.phases.full, batch: 33 } } }
  await expect(planFolds(optionsFor('none', { progress, recipe: large }), dataset)).rejects.toMatchObject({
    code: 'TRAIN_BATCH_TOO_LARGE',
    message: expect.stringContaining('only 32 training photos') as string,
  })
  expect(await readdir(folder.path)).not.toContain('none')
})

it('trains folds and run with real networks, also when it is stopped in the second fold', async () => {
  const run = at('run')
  const train = (resume: boolean, stop: AbortController, progress: ReturnType<typeof listening>) => {
    const options = optionsFor('run', { folds: 2, progress, signal: stop.signal })
    // One network on the way of an export is enough, as that takes a while.
    const score: FoldsOptions['score'] = (place, fold, hash) =>
      place.endsWith('1')
        ? fakeScore(place, fold, hash)
        : scoreFold({ folder: place, dataset: fold, sha256: hash, log: () => {}, signal: stop.signal })
    return trainRun({
      ...options,
      folder: run,
      resume,
      onPrepared: (prepared) => planFolds(options, prepared.dataset),
      before: (prepared) => trainFolds({ ...options, score }, prepared),
    })
  }
  const stop = new AbortController()
  const stopping = listening((lines) => {
    if (lines.some((line) => line.startsWith('--- fold 2'))) stop.abort(reason)
  })
  await expect(train(false, stop, stopping)).rejects.toBe(reason)
  const first = await readFile(join(run, 'folds/1/out-of-fold.safetensors'))
  const progress = listening()
  await train(true, new AbortController(), progress)
  expect(progress.lines.filter((line) => line.startsWith('--- fold')).map((line) => line.slice(0, 33))).toEqual([
    '--- fold 2 of 2: goes on learning',
  ])
  expect(sha256(await readFile(join(run, 'folds/1/out-of-fold.safetensors')))).toBe(sha256(first))
  const own = await readRunData(run)
  const { photos } = (await readOutOfFold(run, own))!
  expect(photos).toHaveLength(48)
  for (const { views } of photos)
    for (const row of views) expect(Array.from(row).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4)
  expect(photos.at(-1)!.views).toHaveLength(recipe.views.length)
  const plan = new Map((await readFoldPlan(run))!.photos)
  for (const fold of [0, 1]) {
    const { photos: listed } = await readRunData(join(run, 'folds', String(fold + 1)))
    const splitOf = (split: string) => listed.filter((photo) => photo.split === split).map(({ id }) => id)
    expect(splitOf('test').every((id) => plan.get(id) === fold)).toBe(true)
    expect(splitOf('train').every((id) => plan.get(id) === 1 - fold)).toBe(true)
    expect(splitOf('valid')).toHaveLength(12)
  }
  expect(own.photos.filter(({ split }) => split === 'train')).toHaveLength(48)
  expect(await readdir(join(run, 'checkpoints'))).toContain('best.safetensors')
  await rm(run, { recursive: true })
}, 240_000)
