import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { quick } from '../recipe/recipes/quick.ts'
import { applySettings } from '../recipe/resolve-recipe.ts'
import { drawFlowers } from '../drawn/drawn-flowers.ts'
import type { Recipe, RecipeInput } from '../recipe/schema.ts'
import type { Forecast } from '../train/forecast.ts'
import { recipeSeconds, runSeconds, type Speed } from './cost.ts'
import { resolveQuick, type QuickOptions } from './quick.ts'

/** At 96 px, to which the pictures are enlarged. An epoch takes 0.1 s and more. */
const speed: Speed = {
  size: 96,
  decodeSeconds: 0,
  trainSeconds: 1 / 480,
  forwardSeconds: 1 / 1200,
  startSeconds: 0.1,
  saveSeconds: 0,
  bytesPerPhoto: 2 ** 20,
}
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-quick-'))
  vi.stubEnv('FLOWERS_CACHE', join(folder, 'cache'))
  await drawFlowers(join(folder, 'photos'), { species: 12, train: 4, valid: 0, size: 40, seed: 2 })
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

function resolve(settings: readonly string[], change: Partial<QuickOptions> = {}): Promise<Recipe> {
  return resolveQuick({
    data: join(folder, 'photos', 'train'),
    minutes: 10,
    withSettings: (recipe) => applySettings(recipe, settings),
    log: () => {},
    measure: async () => speed,
    ...change,
  })
}

it('remembers what it found in the photos for the run', async () => {
  await resolve([])
  expect(
    (await readdir(join(folder, 'cache'), { recursive: true, withFileTypes: true })).some((entry) => entry.isFile()),
  ).toBe(true)
})

it('measures on photos that can be read', async () => {
  const photos = join(folder, 'photos', 'train')
  const [species] = await readdir(photos)
  const broken = join(photos, species!, 'broken.jpg')
  await writeFile(broken, 'no picture')
  const measure = vi.fn<NonNullable<QuickOptions['measure']>>(async () => speed)
  await resolve([], { measure })
  await rm(broken)
  const { train } = measure.mock.calls[0]![1]
  expect(train.length).toBeGreaterThan(0)
  expect(train.map(({ path }) => path)).not.toContain(broken)
})

it('refuses flaws before anything is measured, where they are not to be left out', async () => {
  const photos = join(folder, 'photos', 'train')
  const [species] = await readdir(photos)
  const broken = join(photos, species!, 'broken.jpg')
  await writeFile(broken, 'no picture')
  const measure = vi.fn<NonNullable<QuickOptions['measure']>>(async () => speed)
  await expect(resolve(['data.exclude=nothing'], { measure })).rejects.toMatchObject({ code: 'DATA_AUDIT' })
  await rm(broken)
  expect(measure).not.toHaveBeenCalled()
})

it('says its plan, asks for photos of anything else, and makes a forecast of all its time', async () => {
  const lines: string[] = []
  const forecasts: Forecast[] = []
  let clock = 1000
  const measure = async (): Promise<Speed> => {
    clock += 4000
    return speed
  }
  const recipe = await resolve([], {
    measure,
    log: (line) => lines.push(line),
    now: () => clock,
    onForecast: (forecast) => forecasts.push(forecast),
  })
  expect(lines).toEqual([
    expect.stringMatching(/^plan: about .* after 4 s of looking/),
    'that is the longest training it plans: more minutes would change nothing',
    expect.stringContaining('others/'),
  ])
  const valid = 12
  const seconds = 4 + recipeSeconds(recipe, speed, { train: 48 - valid, valid })
  expect(forecasts).toEqual([{ seconds: expect.closeTo(seconds, 9), begun: 1000 }])
})

it('says of a class without a photo that can be read why that is, after all that it found', async () => {
  const bad = join(folder, 'photos', 'train', 'bad')
  await mkdir(bad)
  for (const name of ['1.jpg', '2.jpg', '3.jpg']) await writeFile(join(bad, name), `no picture ${name}`)
  const lines: string[] = []
  await expect(resolve([], { log: (line) => lines.push(line) })).rejects.toMatchObject({
    code: 'DATA_NOTHING_LEFT',
    message: 'The audit leaves no photo of "bad": 3 of 3 cannot be decoded.',
  })
  await rm(bad, { recursive: true })
  expect(lines).toEqual([expect.stringContaining('Photos that cannot be decoded: 3')])
})

it('shares the minutes between the folds and the run, and says how long all of it takes', async () => {
  const minutes = 30 / 60
  const plain = await resolve([], { minutes: minutes / 3, now: () => 0 })
  const lines: string[] = []
  const forecasts: Forecast[] = []
  const recipe = await resolve([], {
    minutes,
    folds: 2,
    now: () => 0,
    log: (line) => lines.push(line),
    onForecast: (forecast) => forecasts.push(forecast),
  })
  expect(recipe).toEqual(plain)
  const seconds = runSeconds(recipe, speed, { train: 36, valid: 12 }, 2)
  expect(forecasts).toEqual([{ seconds, begun: 0 }])
  expect(lines.join('\n')).toContain('with 2 folds the recipe is run 3 times')
})

it('tells from pretrained weights how well photos can be told apart, within a twentieth of the minutes', async () => {
  const estimate = vi.fn<NonNullable<QuickOptions['estimate']>>(async () => {})
  await resolve([], { estimate, minutes: 1 / 60 })
  expect(estimate.mock.calls.map(([, most]) => most)).toEqual([60])
  await resolve(['model.weights=null'], { estimate })
  expect(estimate).toHaveBeenCalledOnce()
})

it('takes what it spends itself off the minutes', async () => {
  const minutes = 3 / 60
  const lines: string[] = []
  let clock = 0
  const slow = async (): Promise<Speed> => {
    clock += 60_000 * minutes
    return speed
  }
  const log = (line: string) => lines.push(line)
  const { phases } = await resolve([], { minutes, measure: slow, log, now: () => clock })
  // Nothing is left: without that, three seconds are more than the shortest run takes.
  expect([phases.head.epochs, phases.full.epochs, phases.fixres.epochs]).toEqual([1, 3, 1])
  expect(lines.join('\n')).toContain('the shortest training takes about')
})

describe('a warm-up that a person sets', () => {
  const warmup = (epochs: number): string[] => [`phases.full.learningRate.schedule.warmupEpochs=${epochs}`]

  it('makes the plan long enough for it, whatever the minutes', async () => {
    expect((await resolve(warmup(5), { minutes: 0.0001 })).phases.full.epochs).toBe(5)
  })

  it('is a share of the plan, however long that is', async () => {
    const share = ['phases.full.learningRate.schedule.warmupEpochs=10%']
    const plans = await Promise.all([0.0001, 10].map((minutes) => resolve(share, { minutes, now: () => 0 })))
    const [short, long] = plans.map(({ phases }) => phases.full)
    expect(long!.epochs).toBeGreaterThan(short!.epochs)
    for (const { epochs, learningRate } of [short!, long!])
      expect(learningRate.schedule).toMatchObject({ warmupEpochs: epochs / 10 })
  })

  it('is refused before anything is measured where no plan is so long', async () => {
    const measure = vi.fn<() => Promise<Speed>>(async () => speed)
    // As if the person had it by a recipe that is longer than a plan can be.
    const withSettings = (recipe: RecipeInput): RecipeInput =>
      recipe.phases.full.epochs === quick.phases.full.epochs ? recipe : applySettings(recipe, warmup(61))
    await expect(resolve([], { measure, withSettings })).rejects.toMatchObject({ code: 'RECIPE_INVALID' })
    expect(measure).not.toHaveBeenCalled()
  })
})

it('stops while it looks at the photos', async () => {
  const measure = vi.fn<() => Promise<Speed>>(async () => speed)
  const reason = new Error('stopped by the test')
  const stopped = resolve([], { measure, signal: AbortSignal.abort(reason) })
  await expect(stopped).rejects.toBe(reason)
  expect(measure).not.toHaveBeenCalled()
})
