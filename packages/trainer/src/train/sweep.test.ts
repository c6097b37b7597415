import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { drawFlowers } from '../data/drawn-flowers.ts'
import { readSafetensors, readSafetensorsHeader } from '../model/weights/safetensors.ts'
import { recipeDefaults, recipeSchema, reportPhases } from '../recipe.ts'
import type { Phase, Recipe } from '../recipe.ts'
import { trainRun } from './run.ts'
import { bestOfSweep, sweepPlan } from './sweep.ts'
import type { SweepEntry } from './sweep.ts'

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
    ['of equals the smaller', { phase: 'fixres', size: 576, accuracy: 0.9, loss: 0.1 }, 'full'],
    ['of equals of one size the smaller loss', { phase: 'fixres', size: 320, accuracy: 0.9, loss: 0.3 }, 'fixres'],
  ] as const)('keeps %s', (_, fixres, expected) => {
    expect(bestOfSweep([full, fixres]).phase).toBe(expected)
    expect(bestOfSweep([fixres, full]).phase).toBe(expected)
  })
})

it('a sweep takes multiples of 32', () => {
  const parse = (sizes: number[]) => recipeSchema.shape.sweep.safeParse({ sizes, views: 'one' }).success
  expect(parse([256, 320])).toBe(true)
  expect(parse([256, 300])).toBe(false)
  expect(recipeDefaults.sweep).toBeNull()
})

describe('a run with a sweep', () => {
  const quickPhase = (size: number): Phase => ({
    ...reportPhases.head,
    epochs: 1,
    size,
    batch: 8,
    features: 'cached',
    featureViews: [{ flip: 'none', scale: 1 }],
    earlyStopping: null,
  })
  const recipe: Recipe = {
    ...recipeDefaults,
    name: 'test',
    model: {
      architecture: 'convnext_atto',
      head: { kind: 'linear' },
      stochasticDepth: 0,
      layerScale: 0.5,
      weights: null,
    },
    phases: { head: quickPhase(32), full: quickPhase(48), fixres: { ...reportPhases.fixres, epochs: 0 } },
    sweep: { sizes: [64], views: 'one' },
  }
  const messages: string[] = []
  const progress = {
    message: (line: string) => void messages.push(line),
    epochStart() {},
    step() {},
    epochEnd() {},
    close() {},
  }

  it('makes the best of the last two phases what is exported, and says so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flowers-sweep-'))
    try {
      const data = join(folder, 'flowers')
      await drawFlowers(data, { species: 3, train: 4, valid: 5, size: 48, seed: 3 })
      const run = join(folder, 'run')
      const { signal } = new AbortController()
      const result = await trainRun({ recipe, data, folder: run, resume: false, progress, signal })

      const log = (await readFile(join(run, 'metrics.jsonl'), 'utf8')).trim().split('\n')
      const swept = log.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event === 'sweep')
      const entries = swept.map(
        ({ phase, size, validAccuracy: accuracy, validLoss: loss }) => ({ phase, size, accuracy, loss }) as SweepEntry,
      )
      expect(entries.map(({ phase, size }) => [phase, size])).toEqual([
        ['head', 32],
        ['full', 48],
        ['head', 64],
        ['full', 64],
      ])
      // The same weights, photos and size as when the phase was validated.
      const { metadata: atOwnSize } = await readSafetensorsHeader(join(run, 'checkpoints', 'best-full.safetensors'))
      expect(entries[1]!.accuracy).toBe(Number(atOwnSize['validAccuracy']))
      const best = bestOfSweep(entries)
      expect(result).toMatchObject({ phase: best.phase, size: best.size, accuracy: best.accuracy })
      const { metadata } = await readSafetensorsHeader(join(run, 'checkpoints', 'best.safetensors'))
      expect(metadata).toMatchObject({ phase: best.phase, size: String(best.size), validAccuracy: String(best.accuracy) })
      const biasOf = async (name: string) => (await readSafetensors(join(run, 'checkpoints', name))).get('head.fc.bias')
      expect(await biasOf('best.safetensors')).toEqual(await biasOf(`best-${best.phase}.safetensors`))
      expect(await biasOf('best-head.safetensors')).not.toEqual(await biasOf('best-full.safetensors'))
      expect(messages.at(-1)).toContain(`sweep: ${best.phase} at ${best.size} px is what will be exported`)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
