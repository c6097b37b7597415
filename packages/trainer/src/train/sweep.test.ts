import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toTensor } from '@flowers/shared/image/canvas'
import { decodeViews } from '@flowers/shared/image/preprocess'
import { argmax } from '@flowers/shared/model/views'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDataset } from '../dataset/dataset.ts'
import { drawFlowers } from '../drawn/drawn-flowers.ts'
import { PhotoCache } from '../input/photo-cache.ts'
import { openReference } from '../export/reference.ts'
import { livelyWeights } from '../testing/test-run.ts'
import { convnext } from '../model/convnext.ts'
import { mapWeights, toTimmTensors } from '../model/weights/load.ts'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../model/weights/safetensors.ts'
import { recipeDefaults, reportPhases } from '../testing/test-recipe.ts'
import { recipeSchema } from '../recipe/checks.ts'
import type { ResolvedRecipe } from '../recipe/precision.ts'
import { MetricsLog } from '../run/metrics-log.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { bestOfSweep, sweepPlan, sweepSizes, type SweepEntry } from './sweep.ts'

describe('sweepPlan', () => {
  const phases = {
    head: { ...reportPhases.head, size: 224 },
    full: { ...reportPhases.full, size: 288 },
    fixres: { ...reportPhases.fixres, size: 576 },
  }

  it('scores the last two phases at the sizes asked for, and each at its own', () => {
    expect(sweepPlan(['head', 'full', 'fixres'], { phases }, [384, 320, 288])).toEqual([
      { size: 288, phases: ['full', 'fixres'] },
      { size: 320, phases: ['full', 'fixres'] },
      { size: 384, phases: ['full', 'fixres'] },
      { size: 576, phases: ['fixres'] },
    ])
  })

  it('scores a single phase alone', () => {
    expect(sweepPlan(['full'], { phases }, [320])).toEqual([
      { size: 288, phases: ['full'] },
      { size: 320, phases: ['full'] },
    ])
  })
})

describe('bestOfSweep', () => {
  const full = { phase: 'full', size: 320, accuracy: 0.9, loss: 0.4 } as const
  it.each([
    ['the most accurate', { phase: 'fixres', size: 576, accuracy: 0.91, loss: 0.9 }, 'fixres'],
    ['of equals the smaller loss', { phase: 'fixres', size: 576, accuracy: 0.9, loss: 0.3 }, 'fixres'],
    ['of equals in both the smaller', { phase: 'fixres', size: 576, accuracy: 0.9, loss: 0.4 }, 'full'],
  ] as const)('keeps %s', (_, fixres, expected) => {
    const choosing = { own: fixres, criterion: 'accuracy' } as const
    expect(bestOfSweep([full, fixres], choosing).phase).toBe(expected)
    expect(bestOfSweep([fixres, full], choosing).phase).toBe(expected)
  })

  it('keeps the smaller loss, where that is the criterion and costs no accuracy', () => {
    const fixres = { phase: 'fixres', size: 576, accuracy: 0.89, loss: 0.3 } as const
    expect(bestOfSweep([full, fixres], { own: fixres, criterion: 'loss' })).toBe(fixres)
    expect(bestOfSweep([fixres, full], { own: full, criterion: 'loss' })).toBe(full)
  })
})

it('a sweep takes multiples of 32', () => {
  const parse = (sizes: number[]) => recipeSchema.shape.sweep.safeParse({ sizes, views: 'one' }).success
  expect(parse([256, 320])).toBe(true)
  expect(parse([256, 300])).toBe(false)
  expect(recipeDefaults.sweep).toBeNull()
})

describe('sweepSizes', () => {
  const model = convnext({
    name: 'tiny',
    depths: [1, 1],
    dims: [8, 16],
    mlpKind: 'linear',
    stochasticDepth: 0,
  }).build({ classes: 3, head: { kind: 'linear' }, stochasticDepth: 0, layerScale: 1 })
  const phases = {
    ...reportPhases,
    full: { ...reportPhases.full, size: 32 },
    fixres: { ...reportPhases.fixres, size: 48 },
  }
  const weights = { full: livelyWeights(model, 3), fixres: livelyWeights(model, 4) }
  const own = { full: 32, fixres: 48 }
  const messages: string[] = []
  let folder: string

  beforeAll(async () => {
    await startTensorflow({ deterministic: true })
    folder = await mkdtemp(join(tmpdir(), 'flowers-sweep-'))
    await mkdir(join(folder, 'checkpoints'))
    for (const phase of ['full', 'fixres'] as const) {
      await writeSafetensors(
        join(folder, 'checkpoints', `best-${phase}.safetensors`),
        toTimmTensors(model, weights[phase]),
        { architecture: 'tiny', phase, epoch: '7', size: String(own[phase]), validAccuracy: '0' },
      )
    }
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('makes the best checkpoint and size what is exported, and says so', async () => {
    const data = join(folder, 'flowers')
    await drawFlowers(data, { species: 3, train: 1, valid: 6, size: 48, seed: 3 })
    const dataset = await openDataset(data, { seed: 1 })
    const recipe: ResolvedRecipe = {
      ...recipeDefaults,
      precision: 'float32',
      name: 'test',
      model: {
        architecture: 'tiny',
        head: { kind: 'linear' },
        stochasticDepth: 0,
        layerScale: 1,
        weights: null,
      },
      phases,
    }
    const progress = {
      message: (line: string) => void messages.push(line),
      epochStart() {},
      step() {},
      epochEnd() {},
      close() {},
    }
    const path = join(folder, 'metrics.jsonl')
    const { signal } = new AbortController()
    const log = await MetricsLog.open(path, 0)
    const context = { folder, recipe, dataset, model, photos: new PhotoCache(0), teacher: null, log, progress, signal }
    const best = await sweepSizes(context, ['head', 'full', 'fixres'], { sizes: [64, 96], views: 'one' }, 'fixres')

    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    const entries = lines.map((line) => {
      const { phase, size, validAccuracy: accuracy, validLoss: loss } = JSON.parse(line) as Record<string, unknown>
      return { phase, size, accuracy, loss } as SweepEntry
    })
    expect(entries.map(({ phase, size }) => `${phase} ${size}`).join(', ')).toBe(
      'full 32, fixres 48, full 64, fixres 64, full 96, fixres 96',
    )
    expect(new Set(entries.map(({ loss }) => loss)).size).toBe(6)
    const own = entries.find(({ phase, size }) => phase === 'fixres' && size === 48)!
    expect(best).toEqual(bestOfSweep(entries, { own, criterion: 'accuracy' }))
    // Independently: the network itself on the photos at the size that was chosen.
    const chosen = join(folder, 'checkpoints', 'best.safetensors')
    const { metadata } = await readSafetensorsHeader(chosen)
    const { phase, size, accuracy } = best
    expect(metadata).toMatchObject({ phase, epoch: '7', size: String(size), validAccuracy: String(accuracy) })
    const values = mapWeights(model, await readSafetensors(chosen), { head: 'load' })
    const reference = openReference(model, values, size)
    let right = 0
    for (const sample of dataset.valid) {
      const preprocessing = { ...recipe.preprocessing, size }
      const [canvas] = await decodeViews(await readFile(sample.path), preprocessing, [1])
      const input = new Float32Array(3 * size * size)
      toTensor(canvas!, 'none', preprocessing, input)
      if (argmax(await reference.logits(input)) === sample.index) right++
    }
    reference.dispose()
    expect(accuracy).toBe(right / dataset.valid.length)
    expect(messages.at(-1)).toContain(`sweep: ${phase} at ${size} px is what will be exported`)
  })
})
