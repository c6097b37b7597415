import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { recipes } from '../../recipes/index.ts'
import { packAugmentations } from '../data/apply-augment.ts'
import { colorMatrix } from '../data/augment.ts'
import { unmixed } from '../data/mix.ts'
import { convnext } from '../model/convnext.ts'
import { initialize } from '../model/init.ts'
import { emaDecay } from '../optim/ema.ts'
import type { Phase } from '../recipe.ts'
import { noMix, reportPhases, standardAugment } from '../recipe.ts'
import { bytes, startTensorflow } from '../tensorflow/index.ts'
import { compileStep, packScalars, trainableParameters, variablesFor } from './step.ts'
import { Scorers } from './validate.ts'

beforeAll(async () => {
  await startTensorflow({ deterministic: true })
})

const model = convnext({ name: 'tiny', depths: [1, 1], dims: [8, 16], mlpKind: 'linear', stochasticDepth: 0 }).build({
  classes: 3,
  head: { kind: 'linear' },
  stochasticDepth: 0,
  layerScale: 0.1,
})
const values = initialize(model, 4)
const plain: Phase = {
  ...reportPhases.full,
  size: 16,
  batch: 6,
  labelSmoothing: 0,
  mix: noMix,
  augment: { ...standardAugment, horizontalFlip: 0, rotation: 0 },
  ema: { decay: 0.5, power: 1 },
}
const { preprocessing } = recipes['demo']!

/** Six photos of three classes that differ in colour. */
const pixels = Uint8Array.from({ length: 6 * 16 * 16 * 3 }, (_, i) =>
  i % 3 === Math.floor(i / 768) % 3 ? 220 : (i * 37) % 90,
)
const labels = Int32Array.from({ length: 6 }, (_, i) => i % 3)
const still = { geometry: [1, 0, 0, 0, 1, 0, 0, 0], color: colorMatrix(1, 1, 1, 0), erased: [0, 0, 0, 0] } as const

function trainer(phase: Phase) {
  const variables = variablesFor(model, phase, values)
  const step = compileStep(model, variables, phase, { precision: 'float32', classWeights: null })
  let updates = 0
  const run = async (rate: number) => {
    updates++
    const packed = packAugmentations(new Array(6).fill(still), new Array(6).fill(unmixed), preprocessing)
    const outputs = await step.run(
      bytes(pixels, [6, 16, 16, 3]),
      tf.tensor1d(labels, 'int32'),
      tf.tensor2d(packed, [6, 31]),
      tf.tensor1d(
        packScalars({
          backboneRate: rate,
          headRate: rate,
          beta1Power: 0.9 ** updates,
          beta2Power: 0.999 ** updates,
          averageDecay: emaDecay(phase.ema!, updates),
          labelSmoothing: 0,
        }),
      ),
      tf.tensor1d([1, updates], 'int32'),
    )
    return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tensor.dataSync()[0]!])) as Record<
      'loss' | 'correct' | 'gradientNorm',
      number
    >
  }
  return { variables, run }
}

describe('compileStep', () => {
  it('learns: the loss falls and every photo gets its label', async () => {
    const { run } = trainer(plain)
    const first = await run(3e-3)
    expect(first.loss).toBeCloseTo(Math.log(3), 1)
    for (let i = 0; i < 40; i++) await run(3e-3)
    const last = await run(3e-3)
    expect(last.loss).toBeLessThan(0.2)
    expect(last.correct).toBe(6)
  })

  it('reports the loss of the weights before the update, as validation sees it', async () => {
    const { variables, run } = trainer(plain)
    const scorers = new Scorers(model, (name) => variables.weight(name), preprocessing)
    const { probabilities } = await scorers.for(['none']).run(bytes(pixels, [6, 16, 16, 3]))
    const rows = (probabilities as tf.Tensor2D).arraySync()
    const expected = -rows.reduce((sum, row, index) => sum + Math.log(row[labels[index]!]!), 0) / 6
    expect((await run(1e-3)).loss).toBeCloseTo(expected, 4)
  })

  it('leaves the backbone alone while only the head is trained', async () => {
    const { variables, run } = trainer({ ...plain, trainable: 'head' })
    await run(1e-2)
    const changed = []
    for (const { name, group } of model.parameters) {
      const now = await variables.weight(name).data()
      if (now.some((value, index) => value !== values.get(name)![index])) changed.push(group)
    }
    expect(new Set(changed)).toEqual(new Set(['head']))
    expect(changed.length).toBe(trainableParameters(model, { trainable: 'head', batchNorm: 'frozen' }).length)
  })

  it('moves the average towards the weights by what the decay leaves', async () => {
    const { variables, run } = trainer(plain)
    const name = 'head.fc.weight'
    let expected = [...values.get(name)!]
    for (let step = 1; step <= 3; step++) {
      await run(1e-2)
      const weights = await variables.weight(name).data()
      const decay = emaDecay(plain.ema!, step)
      expected = expected.map((value, index) => decay * value + (1 - decay) * weights[index]!)
    }
    const average = await variables.averages().get(name)!.data()
    expected.forEach((value, index) => expect(average[index]).toBeCloseTo(value, 5))
  })
})
