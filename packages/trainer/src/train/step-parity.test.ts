import { fileURLToPath } from 'node:url'
import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { packAugmentations } from '../input/apply-augment.ts'
import { colorMatrix } from '../input/augment.ts'
import type { Mix } from '../input/mix.ts'
import { convnext } from '../model/convnext.ts'
import { mapWeights } from '../model/weights/load.ts'
import { readSafetensors, type SafetensorsTensor } from '../model/weights/safetensors.ts'
import { emaDecay } from '../optim/optimizer.ts'
import type { Phase } from '../recipe/schema.ts'
import { standardAugment } from '../recipe/defaults.ts'
import { reportPhases } from '../testing/test-recipe.ts'
import { bytes, startTensorflow } from '@flowers/tensorflow'
import { compileStep, packScalars, variablesFor } from './step.ts'

const fixture = fileURLToPath(new URL('../../../../tests/fixtures/training-step/steps.safetensors', import.meta.url))
const steps = 3
const batch = 6
const size = 32
const pixels = batch * size * size * 3

const model = convnext({
  name: 'parity',
  depths: [1, 1, 1, 1],
  dims: [8, 12, 16, 20],
  mlpKind: 'linear',
  stochasticDepth: 0,
}).build({ classes: 5, head: { kind: 'linear' }, stochasticDepth: 0, layerScale: 1e-6 })

const still = { geometry: [1, 0, 0, 0, 1, 0, 0, 0], color: colorMatrix(1, 1, 1, 0), erased: [0, 0, 0, 0] } as const

/** The photos of the fixture's formula. */
const photosOf = (step: number): Uint8Array =>
  Uint8Array.from({ length: pixels }, (_, place) => Math.imul(step * pixels + place, 2654435761) >>> 24)

beforeAll(async () => {
  await startTensorflow({ deterministic: true })
})

describe('three steps with everything on at once', () => {
  let tensors: Map<string, SafetensorsTensor>
  const numbers = (name: string): number[] => Array.from(tensors.get(name)!.data, Number)
  const weights = (kind: string): Map<string, Float32Array> => {
    const own = [...tensors].filter(([name]) => name.startsWith(`${kind}.`))
    return mapWeights(model, new Map(own.map(([name, tensor]) => [name.slice(kind.length + 1), tensor])), {
      head: 'load',
    })
  }

  beforeAll(async () => {
    tensors = await readSafetensors(fixture)
  })

  it.each([
    ['as one function', 1],
    ['with the update apart', 2],
  ])('end where PyTorch and timm end, %s', async (_, accumulate) => {
    const [smoothing, focalGamma, clipNorm, weightDecay, decay, power] = numbers('options') as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    const phase: Phase = {
      ...reportPhases.full,
      size,
      batch,
      accumulate,
      augment: { ...standardAugment, horizontalFlip: 0, rotation: 0 },
      clipNorm,
      weightDecay,
      focalGamma,
      ema: { decay, power },
    }
    const start = weights('start')
    const variables = variablesFor(model, phase, 'float32', start)
    const step = compileStep(model, variables, phase, {
      precision: 'float32',
      classWeights: numbers('classWeights'),
    })
    const labels = numbers('labels')
    const mixes: Mix[] = Array.from({ length: steps * batch }, (_row, index) => {
      const [outside, inside, y0, x0, y1, x1, lam] = numbers('mix').slice(7 * index, 7 * index + 7)
      return { outside: outside!, inside: inside!, box: [y0!, x0!, y1!, x1!], lam: lam! }
    })
    const rates = numbers('rates')
    for (let index = 0; index < steps; index++) {
      const own = [batch * index, batch * (index + 1)] as const
      const inputs = [
        bytes(photosOf(index), [batch, size, size, 3]),
        tf.tensor1d(labels.slice(...own), 'int32'),
        tf.tensor2d(packAugmentations(new Array(batch).fill(still), mixes.slice(...own), imagenetNormalization), [
          batch,
          31,
        ]),
        tf.tensor1d(
          packScalars({
            backboneRate: rates[2 * index]!,
            headRate: rates[2 * index + 1]!,
            beta1Power: 0.9 ** (index + 1),
            beta2Power: 0.999 ** (index + 1),
            averageDecay: emaDecay(phase.ema!, index + 1),
            labelSmoothing: smoothing,
            lossScale: 1,
            accumulated: 1,
          }),
        ),
        tf.tensor1d([1, index], 'int32'),
        tf.zeros([0]),
      ] as const
      const { loss, gradientNorm } = await step.run(inputs, true)
      tf.dispose([...inputs])
      expect(loss / numbers('losses')[index]!, `loss of step ${index}`).toBeCloseTo(1, 4)
      expect(gradientNorm / numbers('norms')[index]!, `norm of step ${index}`).toBeCloseTo(1, 3)
    }

    const ends = {
      end: (name: string) => variables.weight(name),
      average: (name: string) => variables.averages().get(name)!,
    }
    for (const [kind, variable] of Object.entries(ends)) {
      for (const [name, expected] of weights(kind)) {
        const actual = await variable(name).data()
        const from = start.get(name)!
        const moved = Math.hypot(...expected.map((value, place) => value - from[place]!))
        const apart = Math.hypot(...expected.map((value, place) => value - actual[place]!))
        expect(moved, name).toBeGreaterThan(0)
        expect(apart / moved, `${kind} of ${name}, as a share of the way`).toBeLessThan(2e-3)
      }
    }
    step.dispose()
  })
})
