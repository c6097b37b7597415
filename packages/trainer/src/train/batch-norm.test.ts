import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { recipes } from '../recipe/recipes/index.ts'
import { packAugmentations } from '../input/apply-augment.ts'
import { colorMatrix } from '../input/augment.ts'
import { unmixed } from '../input/mix.ts'
import { efficientnetLite } from '../model/efficientnet-lite.ts'
import { initialize } from '../model/init.ts'
import type { Phase } from '../recipe/schema.ts'
import { noMix, standardAugment } from '../recipe/defaults.ts'
import { reportPhases } from '../testing/test-recipe.ts'
import { bytes, startTensorflow } from '@flowers/tensorflow'
import { compileStep, packScalars, variablesFor, type StepInputs } from './step.ts'

beforeAll(async () => {
  await startTensorflow({ deterministic: true })
})

const size = 32
const model = efficientnetLite({ name: 'narrow', width: 0.25, depth: 0.25, dropout: 0 }).build({
  classes: 3,
  head: { kind: 'linear' },
  stochasticDepth: 0,
  layerScale: 0,
})
const values = initialize(model, 4)
const plain: Phase = {
  ...reportPhases.full,
  size,
  batch: 6,
  labelSmoothing: 0,
  mix: noMix,
  augment: { ...standardAugment, horizontalFlip: 0, rotation: 0 },
  ema: { decay: 0.5, power: 1 },
}

/** Six photos of three classes that differ in colour. */
const pixels = Uint8Array.from({ length: 6 * size * size * 3 }, (_, i) =>
  i % 3 === Math.floor(i / (3 * size * size)) % 3 ? 220 : (i * 37) % 90,
)
const still = { geometry: [1, 0, 0, 0, 1, 0, 0, 0], color: colorMatrix(1, 1, 1, 0), erased: [0, 0, 0, 0] } as const
const packed = packAugmentations(new Array(6).fill(still), new Array(6).fill(unmixed), recipes['demo']!.preprocessing)

/** Of a step, counted from 1. */
function inputsOf(step: number): StepInputs {
  const rates = { backboneRate: 3e-3, headRate: 3e-3, lossScale: 1, accumulated: 1 }
  const powers = { beta1Power: 0.9 ** step, beta2Power: 0.999 ** step }
  return [
    bytes(pixels, [6, size, size, 3]),
    tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'),
    tf.tensor2d(packed, [6, packed.length / 6]),
    tf.tensor1d(packScalars({ ...rates, ...powers, averageDecay: 0.5, labelSmoothing: 0 })),
    tf.tensor1d([1, step], 'int32'),
    tf.zeros([0]),
  ]
}

/** Runs steps with an average that forgets half in each; returns the losses, the statistics after the first step, and what changed. */
async function train(phase: Phase, steps: number) {
  const variables = variablesFor(model, phase, 'float32', values)
  const step = compileStep(model, variables, phase, { precision: 'float32', classWeights: null })
  const losses: number[] = []
  const first: { name: string; weight: ArrayLike<number>; best: ArrayLike<number> }[] = []
  for (let done = 1; done <= steps; done++) {
    losses.push((await step.run(inputsOf(done), true)).loss)
    if (done > 1) continue
    for (const name of statistics)
      first.push({ name, weight: await variables.weight(name).data(), best: await variables.best(name).data() })
  }
  step.dispose()
  const changed: string[] = []
  for (const { name } of model.parameters) {
    const after = await variables.weight(name).data()
    if (after.some((value, i) => value !== values.get(name)![i])) changed.push(name)
  }
  variables.dispose()
  return { losses, first, changed }
}

const statistics = model.parameters.filter(({ trainable }) => !trainable).map(({ name }) => name)
const ofLast = ['bn2.running_mean', 'bn2.running_var']

describe('batch normalisations', () => {
  it('keep their statistics while frozen, and the loss falls', async () => {
    const { losses, changed } = await train({ ...plain, batchNorm: 'frozen' }, 15)
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 1.5)
    expect(changed).toEqual(model.parameters.filter(({ trainable }) => trainable).map(({ name }) => name))
  })

  it('move their statistics by the batch when trained, with averages for validation and export, and the loss falls', async () => {
    const { losses, first, changed } = await train({ ...plain, batchNorm: 'trained' }, 15)
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 1.5)
    expect(changed).toEqual(model.parameters.map(({ name }) => name))
    for (const { name, weight, best } of first) {
      const expected = Array.from(weight, (value, i) => (value + values.get(name)![i]!) / 2)
      expected.forEach((value, i) => expect(best[i]).toBeCloseTo(value, 5))
    }
  })

  it('stay as they are but for the last, which learns with the head', async () => {
    const { changed } = await train({ ...plain, trainable: 'head', batchNorm: 'last' }, 2)
    expect(changed).toEqual(['bn2.weight', 'bn2.bias', ...ofLast, 'classifier.weight', 'classifier.bias'])
  })

  it('keep no overflow of float16 in their statistics', async () => {
    const phase: Phase = { ...plain, batchNorm: 'trained' }
    const wild = new Map(values)
    wild.set(
      'conv_stem.weight',
      values.get('conv_stem.weight')!.map((value) => value * 1e8),
    )
    const variables = variablesFor(model, phase, 'float16', wild)
    const step = compileStep(model, variables, phase, { precision: 'float16', classWeights: null })
    expect((await step.run(inputsOf(1), true)).gradientNorm).not.toSatisfy(Number.isFinite)
    expect(await variables.weight('bn1.running_var').data()).toEqual(values.get('bn1.running_var'))
    expect(await variables.weight('classifier.weight').data()).toEqual(values.get('classifier.weight'))
  })

  it('are part of a saved state', () => {
    const entries = [...variablesFor(model, { ...plain, batchNorm: 'trained' }, 'float32', values).entries()]
    const kinds = entries.filter(([, name]) => name === 'bn1.running_mean').map(([kind]) => kind)
    expect(kinds).toEqual(['weight', 'average'])
  })
})
