import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeSafetensors } from '../model/weights/safetensors.ts'
import { reportPhases } from '../testing/test-recipe.ts'
import { adjustLogits, logitAdjustmentOf, phasePrior, trainedPhase } from './adjust-logits.ts'

describe('adjustLogits', () => {
  const values = new Map([
    ['classifier.weight', Float32Array.from([1, 2])],
    ['classifier.bias', Float32Array.from([0.5, 0.5, -1])],
  ])

  it('takes tau times the log of the prior off the bias', () => {
    // ln 0.5 = -0.693147, ln 0.25 = -1.386294; half of each.
    const adjusted = adjustLogits(values, { tau: 0.5, prior: [0.5, 0.25, 0.25] })
    const expected = [0.846574, 1.193147, -0.306853]
    expected.forEach((value, index) => expect(adjusted.get('classifier.bias')![index]).toBeCloseTo(value, 5))
    expect(adjusted.get('classifier.weight')).toBe(values.get('classifier.weight'))
    expect([...values.get('classifier.bias')!]).toEqual([0.5, 0.5, -1])
  })

  it('turns a photo that says nothing into equal odds', () => {
    // A classifier that has learnt the prior alone: its logits are the log of it.
    const prior = [0.7, 0.2, 0.1]
    const learnt = new Map([['head.fc.bias', Float32Array.from(prior, Math.log)]])
    const logits = adjustLogits(learnt, { tau: 1, prior }).get('head.fc.bias')!
    for (const logit of logits) expect(logit).toBeCloseTo(logits[0]!, 6)
  })

  it('refuses a network without a classifier', () => {
    expect(() => adjustLogits(new Map(), { tau: 1, prior: [] })).toThrow('no classifier')
  })
})

it('phasePrior is what sampler and weights leave of the counts', () => {
  const counts = [90, 10]
  const prior = (change: object): readonly number[] => phasePrior({ ...reportPhases.full, ...change }, counts)
  expect(prior({})).toEqual([0.9, 0.1])
  // sqrt 90 : sqrt 10 = 3 : 1.
  expect(prior({ samplerPower: 0.5 })[0]).toBeCloseTo(0.75, 10)
  expect(prior({ samplerPower: 0 })).toEqual([0.5, 0.5])
  // With beta 0.9: (1 - 0.9^90) / (1 - 0.9^10) = 1.535223, so 9 : 1.535223 = 0.854277 : 0.145723.
  expect(prior({ classWeightBeta: 0.9 })[0]).toBeCloseTo(0.854277, 6)
})

describe('trainedPhase', () => {
  let run: string
  const phases = {
    head: { ...reportPhases.head, epochs: 3 },
    full: { ...reportPhases.full, epochs: 5 },
    fixres: { ...reportPhases.fixres, epochs: 2 },
  }

  beforeAll(async () => {
    run = await mkdtemp(join(tmpdir(), 'flowers-run-'))
    await mkdir(join(run, 'checkpoints'))
    for (const [phase, epoch] of [
      ['head', '2'],
      ['full', '-1'],
    ] as const) {
      await writeSafetensors(join(run, 'checkpoints', `best-${phase}.safetensors`), new Map(), { epoch })
    }
  })
  afterAll(() => rm(run, { recursive: true }))

  it('is the phase of the checkpoint, or the one before where that was not beaten', async () => {
    expect(await trainedPhase(run, { phases }, { phase: 'fixres', epoch: 1 })).toBe('fixres')
    expect(await trainedPhase(run, { phases }, { phase: 'fixres', epoch: -1 })).toBe('head')
  })

  it('gives the prior of that phase', async () => {
    const balancedEnd = { ...phases, fixres: { ...phases.fixres, samplerPower: 0 } }
    const recipe = { phases: balancedEnd, logitAdjustment: 1.5 }
    const at = (epoch: number, tau = 1.5) =>
      logitAdjustmentOf(
        run,
        { ...recipe, logitAdjustment: tau },
        { checkpoint: { phase: 'fixres', epoch }, trainCounts: [3, 1] },
      )
    expect(await at(0)).toEqual({ tau: 1.5, prior: [0.5, 0.5] })
    expect(await at(-1)).toEqual({ tau: 1.5, prior: [0.75, 0.25] })
    expect(await at(-1, 0)).toBeNull()
  })

  it('passes over phases without epochs', async () => {
    const without = { phases: { ...phases, full: { ...phases.full, epochs: 0 } } }
    expect(await trainedPhase(run, without, { phase: 'fixres', epoch: -1 })).toBe('head')
    expect(await trainedPhase(run, { phases }, { phase: 'head', epoch: -1 })).toBeNull()
  })
})
