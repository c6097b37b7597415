import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { testRecipe } from '../testing/test-recipe.ts'
import { planRun, type RunRequest } from './start-run.ts'

const stored = { ...testRecipe('demo'), precision: 'float32' }
const signal = new AbortController().signal
let folder: Awaited<ReturnType<typeof testFolder>>

beforeAll(async () => {
  folder = await testFolder({
    'run/recipe.json': JSON.stringify(stored),
    'run/data.json': JSON.stringify({
      source: '/photos',
      seed: 1,
      sha256: 'a'.repeat(64),
      labels: [],
      counts: { train: {}, valid: {} },
      splitBy: 'given',
    }),
    'unborn/recipe.json': '',
    'unborn/data.json.1.tmp': '',
    'other/notes.txt': '',
    'models/taken': '',
    'photos/a/1.jpg': '',
    'recipe.json': JSON.stringify(stored),
  })
  vi.stubEnv('INIT_CWD', folder.path)
  vi.stubEnv('MODELS_DIR', '')
})
afterEach(() => vi.useRealTimers())
afterAll(async () => {
  vi.unstubAllEnvs()
  await folder.remove()
})

const plan = (request: RunRequest) => planRun(request, () => {})

describe('a run', () => {
  it('is started under the name of its recipe and the time', async () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 29, 7, 5, 9), toFake: ['Date'] })
    const started = await plan({ set: ['phases.full.epochs=3'] })
    expect(started).toMatchObject({
      data: undefined,
      folder: join(folder.path, 'runs', 'demo-20261129T070509Z'),
      resume: false,
    })
    expect((await started.resolve('photos', signal)).phases.full).toMatchObject({ epochs: 3 })
  })

  it('is quick where there are photos', async () => {
    const set = ['model.weights=null']
    expect((await plan({ data: 'photos', name: 'mine', set })).folder).toContain(join('runs', 'quick-'))
    await plan({ data: 'photos', minutes: '0.5', set })
  })

  it('is started where one was killed before it had written down what it is', async () => {
    expect(await plan({ out: 'unborn' })).toMatchObject({ folder: join(folder.path, 'unborn'), resume: false })
  })

  it.each([{ resume: 'run' }, { resume: 'run', name: 'mine' }, { out: 'run', resumeIfPresent: true }])(
    'goes on with %j',
    async (request) => {
      const resumed = await plan(request)
      expect(resumed).toMatchObject({ data: '/photos', folder: join(folder.path, 'run'), resume: true })
      expect(await resumed.resolve('/photos', signal)).toEqual(stored)
    },
  )

  it('is started in a folder of the usual name though that lies among the photos', async () => {
    expect(await plan({ recipe: 'demo', data: '.' })).toMatchObject({ isNamed: false, resume: false })
  })

  it('goes on where only phases differ that are not run', async () => {
    const set = ['phases.fixres.epochs=0']
    const { resolve } = await plan({ set })
    const before = await resolve('photos', signal)
    before.phases.fixres.earlyStopping = { patience: 8, minEpochs: 5, threshold: 1e-5 }
    const recipe = join(folder.path, 'run', 'recipe.json')
    await writeFile(recipe, JSON.stringify({ ...before, precision: stored.precision }))
    expect(await plan({ out: 'run', resumeIfPresent: true, set })).toMatchObject({ resume: true })
    await writeFile(recipe, JSON.stringify(stored))
  })

  it('has as many folds as are asked for, and goes on with those it has', async () => {
    expect(await plan({ data: 'photos', folds: '5', set: ['model.weights=null'] })).toMatchObject({ folds: 5 })
    expect(await plan({ resume: 'run' })).toMatchObject({ folds: 0 })
    const file = join(folder.path, 'run', 'folds.json')
    await writeFile(file, JSON.stringify({ folds: 3, photos: [] }))
    expect(await plan({ resume: 'run' })).toMatchObject({ folds: 3 })
    await expect(plan({ out: 'run', resumeIfPresent: true })).rejects.toMatchObject({ code: 'TRAIN_RUN_EXISTS' })
    await rm(file)
  })

  it('goes on with its photos where they are now', async () => {
    expect(await plan({ resume: 'run', data: 'moved' })).toMatchObject({ data: join(folder.path, 'moved') })
  })

  it.each([
    [{ recipe: 'quick' }, 'USAGE'],
    [{ out: 'other' }, 'TRAIN_RUN_EXISTS'],
    [{ recipe: 'demo', data: '.', out: 'runs/a' }, 'USAGE'],
    [{ out: 'run' }, 'TRAIN_RUN_EXISTS'],
    [{ out: 'run', resumeIfPresent: true, set: ['seed=2'] }, 'TRAIN_RUN_EXISTS'],
    [{ resumeIfPresent: true }, 'USAGE'],
    [{ out: 'run', resume: 'run', resumeIfPresent: true }, 'USAGE'],
    [{ resume: 'other' }, 'TRAIN_RUN_MISSING'],
    [{ resume: 'run', set: ['seed=2'] }, 'USAGE'],
    [{ resume: 'run', minutes: '3' }, 'USAGE'],
    [{ resume: 'run', from: 'mine' }, 'USAGE'],
    [{ resume: 'run', name: 'My Roses' }, 'USAGE'],
    [{ name: 'My Roses' }, 'USAGE'],
    [{ name: 'default' }, 'USAGE'],
    [{ name: 'taken' }, 'ENOTDIR'],
    [{ minutes: '3' }, 'USAGE'],
    [{ data: 'photos', recipe: 'report', minutes: '3' }, 'USAGE'],
    [{ data: 'photos', recipe: 'recipe.json', minutes: '3' }, 'USAGE'],
    [{ data: 'photos', minutes: 'soon' }, 'USAGE'],
    [{ data: 'photos', minutes: '-1' }, 'USAGE'],
    [{ data: 'photos', minutes: '' }, 'USAGE'],
    [{ data: 'photos', recipe: 'report', set: ['minutes=3'] }, 'RECIPE_SETTING'],
    ...['1', '11', '2.5', 'five', ''].map((folds) => [{ data: 'photos', folds }, 'USAGE']),
    [{ folds: '5' }, 'USAGE'],
    [{ data: 'photos', folds: '5', from: 'mine' }, 'USAGE'],
    [{ data: 'photos', folds: '5', set: ['model.weights=null', 'teacher={"models":["mine"]}'] }, 'USAGE'],
    [{ resume: 'run', folds: '5' }, 'USAGE'],
    [{ data: 'photos', recipe: 'recipe.json', out: 'run', resumeIfPresent: true, folds: '5' }, 'TRAIN_RUN_EXISTS'],
    [{ data: 'photos', from: 'nobody' }, 'MODEL_FOLDER'],
    [{ data: 'photos', from: './photos' }, 'MODEL_FOLDER'],
    [{ data: 'photos', from: 'mine', weights: 'efficientnet_lite0' }, 'USAGE'],
    [{ set: ['model.layerScale=1', 'model.architecture=efficientnet_lite0'] }, 'RECIPE_INVALID'],
  ] as [RunRequest, string][])('is refused for %j as %s', async (request, code) => {
    await expect(plan(request)).rejects.toMatchObject({ code })
  })
})
