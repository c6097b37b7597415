import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { packAugmentations } from '../input/apply-augment.ts'
import { colorMatrix, drawGeometry, type Augmentation } from '../input/augment.ts'
import { unmixed } from '../input/mix.ts'
import { convnext } from '../model/convnext.ts'
import { initialize } from '../model/init.ts'
import { Random } from '@flowers/shared/random'
import { emaDecay } from '../optim/optimizer.ts'
import type { Phase, TeacherOptions } from '../recipe/schema.ts'
import { noMix, standardAugment } from '../recipe/defaults.ts'
import { reportPhases, testRecipe } from '../testing/test-recipe.ts'
import { bytes, startTensorflow } from '@flowers/tensorflow'
import type { Precision } from '@flowers/tensorflow/precision'
import { readState, restoreVariables, saveState } from '../run/state.ts'
import { startOf } from './position.ts'
import { compileStep, packScalars, trainableParameters, variablesFor } from './step.ts'
import { Scorers } from './validate.ts'
import type { TrainingVariables } from './variables.ts'

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
const { preprocessing } = testRecipe('demo')

/** Six photos of three classes that differ in colour. */
const pixels = Uint8Array.from({ length: 6 * 16 * 16 * 3 }, (_, i) =>
  i % 3 === Math.floor(i / 768) % 3 ? 220 : (i * 37) % 90,
)
const labels = Int32Array.from({ length: 6 }, (_, i) => i % 3)
/** A teacher that takes each class for the next one. */
const taught = Float32Array.from({ length: 18 }, (_, i) => Number(i % 3 === (labels[Math.floor(i / 3)]! + 1) % 3))
const still: Augmentation = { geometry: [1, 0, 0, 0, 1, 0, 0, 0], color: colorMatrix(1, 1, 1, 0), erased: [0, 0, 0, 0] }

/** Steps on the six photos, or on some of them that follow each other. */
function trainer(phase: Phase, precision: Precision = 'float32', teacher: TeacherOptions | null = null) {
  const variables = variablesFor(model, phase, precision, values)
  const step = compileStep(model, variables, phase, { precision, classWeights: null, teacher })
  let updates = 0
  const run = async (
    rate: number,
    { first = 0, count = 6, of = 1, complete = true, lossScale = 1, drawn = still } = {},
  ) => {
    const packed = packAugmentations(new Array(count).fill(drawn), new Array(count).fill(unmixed), preprocessing)
    const inputs = [
      bytes(pixels.subarray(768 * first, 768 * (first + count)), [count, 16, 16, 3]),
      tf.tensor1d(labels.subarray(first, first + count), 'int32'),
      tf.tensor2d(packed, [count, 31]),
      tf.tensor1d(
        packScalars({
          backboneRate: rate,
          headRate: rate,
          beta1Power: 0.9 ** (updates + 1),
          beta2Power: 0.999 ** (updates + 1),
          averageDecay: emaDecay(phase.ema!, updates + 1),
          labelSmoothing: 0,
          lossScale,
          accumulated: of,
        }),
      ),
      tf.tensor1d([1, updates], 'int32'),
      teacher === null ? tf.zeros([0]) : tf.tensor2d(taught.subarray(3 * first, 3 * (first + count)), [count, 3]),
    ] as const
    const result = await step.run(inputs, complete)
    tf.dispose([...inputs])
    if (complete && Number.isFinite(result.gradientNorm)) updates++
    return result
  }
  return { variables, run }
}

/** Every array by kind and name. */
async function contents(variables: TrainingVariables): Promise<Map<string, Float32Array>> {
  const all = new Map<string, Float32Array>()
  for (const [kind, name, variable] of variables.entries())
    all.set(`${kind}/${name}`, (await variable.data()) as Float32Array)
  return all
}

/** Euclidean length of the difference, as a share of that of the first. */
function distance(one: ArrayLike<number>, other: ArrayLike<number>): number {
  const differences = Array.from(one, (value, index) => value - other[index]!)
  return Math.hypot(...differences) / Math.hypot(...Array.from(one))
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

  it('believes a teacher as far as its share says', async () => {
    const softened = { models: ['any'], temperature: 2 }
    const shares = [0, 0.25, 1]
    const runs = shares.map((share) => trainer(plain, 'float32', { ...softened, share }))
    const [byLabels, both, byTeacher] = await Promise.all(runs.map(async ({ run }) => (await run(0)).loss))
    expect(byTeacher).toBeCloseTo(4 * Math.log(3), 0)
    expect(both).toBeCloseTo(0.75 * byLabels! + 0.25 * byTeacher!, 5)
    const { run } = runs[2]!
    for (let i = 0; i < 40; i++) await run(3e-3)
    // The teacher is wrong about every photo, and the labels have no say.
    expect(await run(3e-3)).toMatchObject({ correct: 0 })
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

  it('takes photos nearer or farther by an affine scale that is always the same', async () => {
    const augment = { ...plain.augment, affine: { ...plain.augment.affine, scale: [0.5, 0.5] as [number, number] } }
    const zoomed = { ...still, geometry: drawGeometry(augment, 16, new Random(1, 'augment')) }
    expect(zoomed.geometry).not.toEqual(still.geometry)
    const { loss } = await trainer(plain).run(1e-3)
    const { run } = trainer({ ...plain, augment })
    expect(Math.abs((await run(0, { drawn: zoomed })).loss - loss)).toBeGreaterThan(1e-4)
    expect((await run(0, { drawn: still })).loss).toBeCloseTo(loss, 5)
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

describe('accumulated gradients', () => {
  const accumulating: Phase = { ...plain, accumulate: 3, clipNorm: 0.2 }

  it('of three micro-steps make the update of the large batch', async () => {
    const large = trainer({ ...accumulating, accumulate: 1 })
    const small = trainer(accumulating)
    for (let update = 0; update < 4; update++) {
      const whole = await large.run(1e-3)
      let loss = 0
      let norm = 0
      for (let part = 0; part < 3; part++) {
        const before = await small.variables.weight('head.fc.weight').data()
        const result = await small.run(1e-3, { first: 2 * part, count: 2, of: 3, complete: part === 2 })
        loss += result.loss / 3
        norm = result.gradientNorm
        const moved = distance(before, await small.variables.weight('head.fc.weight').data())
        expect(moved > 0, `update ${update}, part ${part}`).toBe(part === 2)
      }
      expect(loss).toBeCloseTo(whole.loss, 5)
      expect(norm).toBeCloseTo(whole.gradientNorm, 5)
      // Clipping has something to do.
      expect(norm).toBeGreaterThan(0.2)
    }
    const expected = await contents(large.variables)
    const actual = await contents(small.variables)
    for (const [name, array] of expected) expect(distance(array, actual.get(name)!), name).toBeLessThan(1e-3)
    const left = [...actual].filter(([name]) => name.startsWith('gradient/'))
    expect(left.length).toBe(model.parameters.length)
    for (const [, array] of left) expect(array.every((value) => value === 0)).toBe(true)
  })

  it('go on bit for bit from a state saved between micro-steps', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flowers-state-'))
    const path = join(folder, 'state.safetensors')
    const part = (number: number) => ({ first: 2 * number, count: 2, of: 3, complete: number === 2, lossScale: 1024 })
    try {
      const one = trainer(accumulating, 'float16')
      await one.run(1e-3, part(0))
      await one.run(1e-3, part(1))
      const recipe = { ...testRecipe('demo'), precision: 'float16' } as const
      await saveState(path, one.variables, startOf('full', recipe, 0, { seconds: 0, updates: 0, leader: null }))
      await one.run(1e-3, part(2))

      const other = trainer(accumulating, 'float16')
      const saved = await readState(path)
      expect(saved.position.lossScale).toEqual({ value: 65_536, good: 0 })
      restoreVariables(other.variables, saved)
      await other.run(1e-3, part(2))
      expect(await contents(other.variables)).toEqual(await contents(one.variables))
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('float16', () => {
  it('takes nearly the step of float32, whatever the scale of the loss', async () => {
    const exact = trainer(plain)
    const whole = await exact.run(1e-3)
    for (const lossScale of [1, 2 ** 12]) {
      const half = trainer(plain, 'float16')
      const result = await half.run(1e-3, { lossScale })
      expect(result.loss).toBeCloseTo(whole.loss, 2)
      expect(result.gradientNorm / whole.gradientNorm).toBeCloseTo(1, 2)
    }
  })

  it('leaves everything as it was when the scaled gradient overflows, and goes on with a smaller scale', async () => {
    const { variables, run } = trainer({ ...plain, accumulate: 2 }, 'float16')
    await run(1e-3, { lossScale: 1024 })
    const before = await contents(variables)
    const micro = { count: 3, of: 2, complete: false }
    // The first half overflows, the second does not: the sum of both is still no gradient.
    expect((await run(1e-3, { ...micro, lossScale: 2 ** 40 })).loss).toBeLessThan(10)
    const overflowed = await run(1e-3, { ...micro, first: 3, lossScale: 1, complete: true })
    expect(overflowed.gradientNorm).not.toSatisfy(Number.isFinite)
    expect(await contents(variables)).toEqual(before)
    const next = await run(1e-3, { lossScale: 1024 })
    expect(next.gradientNorm).toSatisfy(Number.isFinite)
    const after = await contents(variables)
    for (const array of after.values()) expect(array.every(Number.isFinite)).toBe(true)
    expect(distance(before.get('weight/head.fc.weight')!, after.get('weight/head.fc.weight')!)).toBeGreaterThan(0)
  })
})
