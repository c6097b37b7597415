import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openDataset, type Dataset } from '../dataset/dataset.ts'
import { PhotoCache } from '../input/photo-cache.ts'
import { convnext } from '../model/convnext.ts'
import { initialize, zeroValues } from '../model/init.ts'
import { recipeDefaults, reportPhases } from '../testing/test-recipe.ts'
import type { Phase } from '../recipe/schema.ts'
import { MetricsLog } from '../run/metrics-log.ts'
import { restoreVariables } from '../run/state.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { testFolder, testPhoto } from '../testing/test-photos.ts'
import { loadState } from './checkpoints.ts'
import { openPhase, requirePhaseFits } from './phase.ts'
import { startOf, updatesOf } from './position.ts'
import { variablesFor } from './step.ts'

const model = convnext({ name: 'tiny', depths: [1, 1], dims: [8, 16], mlpKind: 'linear', stochasticDepth: 0 }).build({
  classes: 2,
  head: { kind: 'linear' },
  stochasticDepth: 0.2,
  layerScale: 0.1,
})
const full: Phase = {
  ...reportPhases.full,
  epochs: 2,
  size: 16,
  batch: 2,
  accumulate: 2,
  ema: { decay: 0.9, power: 1 },
}
const recipe = {
  ...recipeDefaults,
  name: 'test',
  precision: 'float32' as const,
  model: { architecture: 'tiny' } as never,
  phases: { ...reportPhases, full },
}

let folder: Awaited<ReturnType<typeof testFolder>>
let dataset: Dataset
beforeAll(async () => {
  await startTensorflow({ deterministic: true })
  const photos = await Promise.all(Array.from({ length: 8 }, (_, seed) => testPhoto(seed)))
  const names = photos.map((photo, index) => [`${index < 6 ? 'train' : 'valid'}/${index % 2}/${index}.jpg`, photo])
  folder = await testFolder(Object.fromEntries(names) as Record<string, Buffer>)
  dataset = await openDataset(folder.path, { seed: 1 })
})
afterAll(() => folder.remove())

const stopped = new Error('stopped by the test')

/** Opens the phase in a run folder, at its last saved state if there is one; `stopAfter`: micro-steps until it is stopped. */
async function open(run: string, stopAfter = Infinity) {
  const path = join(folder.path, run)
  await mkdir(join(path, 'checkpoints'), { recursive: true })
  const saved = await loadState(path)
  const log = await MetricsLog.open(join(path, 'metrics.jsonl'), saved?.position.metricsBytes ?? 0)
  const stop = new AbortController()
  let steps = 0
  const progress = {
    message() {},
    epochStart() {},
    step() {
      if (++steps === stopAfter) stop.abort(stopped)
    },
    epochEnd() {},
    close() {},
  }
  const board = { epoch() {}, picture() {} } as never
  const context = {
    folder: path,
    recipe,
    dataset,
    model,
    photos: new PhotoCache(),
    teacher: null,
    log,
    board,
    progress,
  }
  const variables = variablesFor(model, full, 'float32', saved ? zeroValues(model) : initialize(model, 3))
  if (saved) restoreVariables(variables, saved)
  const position = saved?.position ?? startOf('full', recipe)
  return {
    context,
    phase: openPhase({ ...context, signal: stop.signal }, 'full', variables, { position, startsTrained: false }),
  }
}

it('goes on bit for bit when it was stopped after four of its six micro-steps', async () => {
  const through = await open('through')
  await through.phase.run()
  await expect((await open('stopped', 4)).phase.run()).rejects.toBe(stopped)
  const resumed = await open('stopped')
  expect(resumed.phase.position).toMatchObject({ epoch: 1, step: 1 })
  await resumed.phase.run()

  const states = [through, resumed].map(({ context }) => loadState(context.folder))
  const [expected, actual] = await Promise.all(states)
  expect(actual!.arrays).toEqual(expected!.arrays)
  expect(actual!.arrays.size).toBeGreaterThan(0)
  // Each epoch of three micro-steps is two updates.
  expect(updatesOf(actual!.position)).toBe(4)
})

it('refuses a batch that does not fit, before anything is trained', async () => {
  const { context } = await open('small')
  const { signal } = new AbortController()
  vi.stubEnv('FLOWERS_MEMORY_LIMIT_MIB', '0.001')
  try {
    await expect(requirePhaseFits({ ...context, signal }, 'full')).rejects.toMatchObject({ code: 'TRAIN_MEMORY' })
  } finally {
    vi.unstubAllEnvs()
  }
  await requirePhaseFits({ ...context, signal }, 'full')
})
