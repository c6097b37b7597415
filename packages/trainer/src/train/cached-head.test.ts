import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { oneView } from '@flowers/shared/image/view'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawFlowers } from '../drawn/drawn-flowers.ts'
import { readSafetensors } from '../model/weights/safetensors.ts'
import type { Phase, Recipe } from '../recipe/schema.ts'
import { noMix, standardAugment } from '../recipe/defaults.ts'
import { recipeDefaults, reportPhases } from '../testing/test-recipe.ts'
import type { Progress } from '../console/progress.ts'
import { trainRun } from './run.ts'

const size = 32
let folder: string
let data: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-cached-'))
  data = join(folder, 'flowers')
  // As large as the input: nothing is resampled, whichever way a photo takes.
  await drawFlowers(data, { species: 5, train: 7, valid: 4, size, seed: 6 })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const headPhase: Phase = {
  ...reportPhases.head,
  epochs: 2,
  size,
  batch: 8,
  learningRate: { backbone: 0, head: 3e-3, schedule: { kind: 'cosine', warmupEpochs: 1, minimum: 0.1 } },
  labelSmoothing: { from: 0.1, to: 0 },
  focalGamma: 1,
  classWeightBeta: 0.9,
  samplerPower: 0,
  ema: { decay: 0.9, power: 0.75 },
  tta: { views: 'six', everyEpochs: 2, lastEpochs: 1 },
  augment: {
    ...standardAugment,
    crop: { kind: 'center', cropFraction: 1 },
    horizontalFlip: 0,
    rotation: 0,
    color: { brightness: 0, contrast: 0, saturation: 0, hue: 0 },
  },
  mix: noMix,
  earlyStopping: null,
}

const recipeOf = (change: Partial<Phase>): Recipe => ({
  ...recipeDefaults,
  precision: 'float32',
  name: 'test',
  model: {
    architecture: 'convnext_test',
    head: { kind: 'mlp', hidden: 16, dropout: 0.3 },
    stochasticDepth: 0,
    layerScale: 0.5,
    weights: null,
  },
  phases: {
    ...reportPhases,
    head: { ...headPhase, ...change },
    full: { ...reportPhases.full, epochs: 0 },
    fixres: { ...reportPhases.fixres, epochs: 0 },
  },
})

const silent: Progress = { message() {}, epochStart() {}, step() {}, epochEnd() {}, close() {} }

async function train(name: string, recipe: Recipe, options: { resume?: boolean; stopAfter?: number } = {}) {
  const run = join(folder, name)
  const controller = new AbortController()
  let steps = 0
  const progress = {
    ...silent,
    step: () => {
      if (++steps === options.stopAfter) controller.abort(new Error('stopped'))
    },
  }
  await trainRun({ recipe, data, folder: run, resume: options.resume ?? false, progress, signal: controller.signal })
  return run
}

const weightsOf = async (run: string, file: string) => readSafetensors(join(run, 'checkpoints', file))
const hashesOf = async (run: string, file: string) =>
  [...(await weightsOf(run, file))].map(([name, { data: values }]) => {
    const { buffer, byteOffset, byteLength } = values
    return [
      name,
      createHash('sha256')
        .update(new Uint8Array(buffer, byteOffset, byteLength))
        .digest('hex'),
    ]
  })
const logOf = async (run: string): Promise<Record<string, unknown>[]> =>
  (await readFile(join(run, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => ({ ...(JSON.parse(line) as Record<string, unknown>), seconds: 0, imagesPerSecond: 0 }))

describe('a head on cached features', () => {
  it('learns what it learns on the photos, where those are not augmented', async () => {
    const computed = await train('computed', recipeOf({}))
    const cached = await train('cached', recipeOf({ features: 'cached', featureViews: [...oneView] }))
    const expected = await weightsOf(computed, 'last.safetensors')
    for (const [name, { data: values }] of await weightsOf(cached, 'last.safetensors')) {
      const others = expected.get(name)!.data
      const differences = Float64Array.from(values as Float32Array, (value, i) => Math.abs(value - Number(others[i])))
      expect(
        differences.reduce((a, b) => Math.max(a, b)),
        name,
      ).toBeLessThan(2e-5)
    }
    const [log, other] = [await logOf(cached), await logOf(computed)]
    expect(log.map(({ event }) => event)).toEqual(['phase', 'epoch', 'epoch'])
    for (const [index, line] of log.entries()) {
      for (const key of ['loss', 'trainAccuracy', 'validLoss', 'validAccuracy', 'ttaAccuracy']) {
        const [value, same] = [line[key], other[index]![key]]
        if (typeof same === 'number') expect(value, `${key} of line ${index}`).toBeCloseTo(same, 4)
        else expect(value).toBe(same)
      }
    }
    expect(other[2]!['ttaAccuracy']).toEqual(expect.any(Number))
    expect(other[2]!['validLoss']).toBeLessThan(0.998 * Number(other[0]!['validLoss']))
  })

  it('keeps the features of every view, goes on bit for bit after a stop, and leaves none', async () => {
    const recipe: Recipe = { ...recipeOf({ features: 'cached', tta: null }), sweep: { sizes: [64], views: 'one' } }
    const through = await train('through', recipe)
    await expect(train('stopped', recipe, { stopAfter: 6 })).rejects.toThrow('stopped')
    const run = join(folder, 'stopped')
    expect((await readdir(join(run, 'checkpoints'))).filter((name) => name.startsWith('features'))).toEqual([
      'features-head-train.safetensors',
      'features-head-valid.safetensors',
    ])
    const kept = await weightsOf(run, 'features-head-train.safetensors')
    expect([...kept].map(([, { shape }]) => shape)).toEqual([
      [35, 3, 64],
      [35, 3, 64],
    ])
    await train('stopped', recipe, { resume: true })
    for (const file of ['last.state.safetensors', 'best.safetensors']) {
      expect(await hashesOf(run, file)).toEqual(await hashesOf(through, file))
    }
    expect(await logOf(run)).toEqual(await logOf(through))
    expect(await readdir(join(run, 'checkpoints'))).toEqual(await readdir(join(through, 'checkpoints')))
  })
})
