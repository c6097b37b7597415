import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { ParameterSpec } from '../model/architecture.ts'
import { readSafetensorsHeader } from '../model/weights/safetensors.ts'
import { reportPhases } from '../testing/test-recipe.ts'
import { restoreVariables } from '../run/state.ts'
import { testFolder } from '../testing/test-photos.ts'
import { bestWeights, loadState, openCheckpoints, removeHalfWritten } from './checkpoints.ts'
import { startOf } from './position.ts'

const parameter: ParameterSpec = {
  name: 'head.fc.bias',
  shape: [3],
  kind: 'linear',
  initializer: { kind: 'zeros' },
  group: 'head',
  decay: false,
  trainable: true,
}
const model = { architecture: 'tiny', parameters: [parameter] }

/** An array in memory in place of TensorFlow's. */
class Values {
  readonly shape = [3]
  values: Float32Array

  constructor(...values: number[]) {
    this.values = Float32Array.from(values)
  }

  async data(): Promise<Float32Array> {
    return this.values.slice()
  }

  load(values: Float32Array): void {
    this.values = values.slice()
  }
}

function variablesOf(weight: Values, average: Values) {
  return {
    *entries() {
      yield ['weight', parameter.name, weight] as const
      yield ['average', parameter.name, average] as const
    },
    best: () => average,
  }
}

let folder: Awaited<ReturnType<typeof testFolder>>
let seconds = 0
beforeAll(async () => {
  folder = await testFolder({ 'checkpoints/half.safetensors.tmp': 'half' })
})
afterAll(() => folder.remove())
beforeEach(() => {
  seconds = 0
})

const [weight, average] = [new Values(1, 2, 3), new Values(4, 5, 6)]
const position = startOf('full', { precision: 'float16' }, 17, { seconds: 3, updates: 4, leader: null })

const { head, full, fixres } = reportPhases
const recipe = { phases: { head: { ...head, size: 32 }, full: { ...full, size: 32 }, fixres }, saveMinutes: 2 }
const open = (name: 'head' | 'full' = 'full') =>
  openCheckpoints(
    { folder: folder.path, model, recipe } as never,
    name,
    variablesOf(weight, average) as never,
    () => 1000 * seconds,
  )

const metadataOf = async (name: string) =>
  (await readSafetensorsHeader(join(folder.path, 'checkpoints', name))).metadata

it('removes what a killed run was writing', async () => {
  await removeHalfWritten(folder.path)
  expect(await readdir(join(folder.path, 'checkpoints'))).toEqual([])
})

it('has no state before the first is saved, and then the last', async () => {
  expect(await loadState(folder.path)).toBeUndefined()
  await open().save(position)
  const state = (await loadState(folder.path))!
  expect(state.position).toEqual(position)
  const restored = [new Values(0, 0, 0), new Values(0, 0, 0)] as const
  restoreVariables(variablesOf(...restored), state)
  expect(restored.map(({ values }) => [...values])).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ])
})

it('saves again only when the time since the last state has passed', async () => {
  const checkpoints = open()
  const stepSaved = async (at: number, step: number) => {
    seconds = at
    await checkpoints.saveIfDue({ ...position, step })
    return (await loadState(folder.path))!.position.step
  }
  await checkpoints.save(position)
  expect(await stepSaved(120, 1)).toBe(0)
  expect(await stepSaved(121, 2)).toBe(2)
  expect(await stepSaved(240, 3)).toBe(2)
  expect(await stepSaved(242, 4)).toBe(4)
})

it('writes averaged weights: the best of each phase, of the run, and the last', async () => {
  const head = open('head')
  await head.writeBest({ accuracy: 0.5, loss: 1, epoch: 2 }, true)
  average.values = Float32Array.of(7, 8, 9)
  const full = open()
  await full.writeBest({ accuracy: 0.25, loss: 2, epoch: -1 }, false)
  expect(await metadataOf('best.safetensors')).toMatchObject({ phase: 'head', epoch: '2' })
  await full.writeBest({ accuracy: 0.75, loss: 0.5, epoch: 0 }, true)
  average.values = Float32Array.of(0, 0, 0)
  await full.writeLast({ accuracy: 0.25, loss: 3, epoch: 1 })

  const best = async (name: 'head' | 'full') => [...(await bestWeights(model, folder.path, name)).get(parameter.name)!]
  expect(await best('head')).toEqual([4, 5, 6])
  expect(await best('full')).toEqual([7, 8, 9])
  expect(full.bestPath).toBe(join(folder.path, 'checkpoints', 'best.safetensors'))
  const common = { architecture: 'tiny', size: '32' }
  expect(await metadataOf('best-head.safetensors')).toMatchObject({ ...common, phase: 'head', epoch: '2' })
  expect(await metadataOf('best.safetensors')).toMatchObject({
    ...common,
    phase: 'full',
    validAccuracy: '0.75',
    validLoss: '0.5',
  })
  expect(await metadataOf('last.safetensors')).toMatchObject({ ...common, epoch: '1', validAccuracy: '0.25' })
  expect((await readdir(join(folder.path, 'checkpoints'))).filter((name) => name.endsWith('.tmp'))).toEqual([])
})
