import { expect, it, vi } from 'vitest'
import { TensorflowError } from '@flowers/tensorflow/errors'
import { reportPhases } from '../testing/test-recipe.ts'
import { explainMemory, measureNeed, mostDemanding, requireFits, type MemoryNeed } from './memory.ts'

const phase = { name: 'full', batch: 64, size: 32 } as const
const outOfMemory = new TensorflowError('TENSORFLOW_OUT_OF_MEMORY', 'no')

it.each([
  [20, 'a batch of 16 fits: --set phases.full.batch=16'],
  [0, 'not even a single photo fits'],
])('explains an error out of memory by the largest half of the batch that %d photos leave', async (limit, advice) => {
  const attempts: number[] = []
  const explained = explainMemory(phase, outOfMemory, async (batch) => {
    attempts.push(batch)
    if (batch > limit) throw outOfMemory
  })
  await expect(explained).rejects.toMatchObject({
    code: 'TRAIN_MEMORY',
    message: expect.stringContaining(advice) as string,
    cause: outOfMemory,
  })
  expect(attempts[0]).toBe(32)
})

it('passes any other error on, also one of an attempt', async () => {
  const other = new TypeError('other')
  const attempt = vi.fn<() => Promise<void>>().mockRejectedValue(other)
  await expect(explainMemory(phase, other, attempt)).rejects.toBe(other)
  expect(attempt).not.toHaveBeenCalled()
  await expect(explainMemory(phase, outOfMemory, attempt)).rejects.toBe(other)
})

it('refuses a batch that does not fit, and measures only if the upper bound does not', async () => {
  const measure = vi.fn<() => Promise<MemoryNeed>>().mockResolvedValue({ fixed: 100, perPhoto: 10 })
  await requireFits(phase, 2000, measure, 2000)
  expect(measure).not.toHaveBeenCalled()
  await requireFits(phase, 2000, measure, 740)
  const refused = requireFits(phase, 2000, measure, 735)
  await expect(refused).rejects.toMatchObject({
    code: 'TRAIN_MEMORY',
    message:
      'phase full runs out of memory with batches of 64 at 32 px; a batch of 63 fits: --set phases.full.batch=63',
  })
})

it('takes the phase whose backbone keeps most for its gradient as the most demanding', () => {
  const { head, full, fixres } = reportPhases
  const small = { batch: 8, size: 32, features: 'computed' } as const
  const phases = {
    head: { ...head, ...small, trainable: 'head', batch: 32 },
    full: { ...full, ...small, trainable: 'all' },
    fixres: { ...fixres, ...small, trainable: 'head', size: 48 },
  } as const
  expect(mostDemanding({ phases }, ['head', 'full', 'fixres'])).toBe('full')
  expect(mostDemanding({ phases }, ['head', 'fixres'])).toBe('head')
  const cached = { ...phases, head: { ...phases.head, features: 'cached' } } as const
  expect(mostDemanding({ phases: cached }, ['head', 'fixres'])).toBe('fixres')
  expect(mostDemanding({ phases: cached }, ['head'])).toBeUndefined()
})

it('takes the slope of two batches as the need of a photo', async () => {
  let held = 0
  const run = async (batch: number) => {
    held = 500 + 20 * batch
  }
  const peak = async (work: () => Promise<void>) => {
    held = 0
    await work()
    return 1000 + held
  }
  expect(await measureNeed(run, peak)).toEqual({ fixed: 500, perPhoto: 20 })
})

it.runIf(process.platform === 'linux')('measures what a batch takes', async () => {
  const perPhoto = 30 * 2 ** 20
  let held: Uint8Array | undefined
  const need = await measureNeed(async (batch) => {
    held = new Uint8Array(batch * perPhoto).fill(1)
  })
  expect(held).toBeDefined()
  expect(need.perPhoto).toBeGreaterThan(0.5 * perPhoto)
  expect(need.perPhoto).toBeLessThan(2 * perPhoto)
})
