import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { until } from '../testing/service.ts'
import { warmUpFor } from './batch.ts'
import { Pool } from './pool.ts'
import type { ViewInput } from './messages.ts'

const module = new URL('../../fixtures/fake-worker.mjs', import.meta.url)
const pools: Pool[] = []

function pool(workers: number, network = 'good', lost: string[] = []): Pool {
  const preprocessing = { size: 1, cropFraction: 1, kernel: 'bilinear', ...imagenetNormalization } as const
  const file = { network, bytes: 0, sha256: '' }
  const settings = { ...file, classes: 2, preprocessing, threads: 1, warmUp: warmUpFor(2) }
  const made = new Pool({ module, workers, settings, onLost: (reason) => lost.push(reason) })
  pools.push(made)
  return made
}

afterEach(async () => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  await Promise.all(pools.splice(0).map((made) => made.close()))
})

function view(order: number, value = 0): ViewInput {
  const pixels = new SharedArrayBuffer(3)
  new Uint8Array(pixels).set([order, value])
  return { pixels, flip: 'none' }
}

describe('Pool', () => {
  it('runs batches on all workers and gives the logits of each view', async () => {
    const two = pool(2)
    await two.start()
    expect(two).toMatchObject({
      ready: 2,
      free: 2,
      measured: [
        { 1: 0.5, 2: 0.6 },
        { 1: 0.5, 2: 0.6 },
      ],
    })
    const results = await Promise.all([two.run([view(0, 1), view(0, 2)]), two.run([view(0, 3)]), two.run([view(0, 4)])])
    expect(results.map(({ logits }) => logits.map((values) => [...values]))).toEqual([
      [
        [1, 0],
        [2, 0],
      ],
      [[3, 0]],
      [[4, 0]],
    ])
    expect(results[0]).toMatchObject({ seconds: 0.25, prepareSeconds: 0.125 })
  })

  it('gives the run of a worker that stopped to another, once', async () => {
    const lost: string[] = []
    const one = pool(1, 'good', lost)
    await one.start()
    const { logits } = await one.run([view(2, 7)])
    expect(logits[0]![0]).toBe(7)
    expect(lost).toEqual(['Error: stopped by its view'])

    await expect(one.run([view(3)])).rejects.toMatchObject({
      code: 'SERVICE_WORKER_LOST',
      headers: { 'retry-after': '1' },
    })
    expect(lost).toHaveLength(3)
    expect((await one.run([view(0, 9)])).logits[0]![0]).toBe(9)
    await until(() => one.ready === 1)
  })

  it('warms up a worker that replaces another by what was found in the meantime', async () => {
    const one = pool(1)
    await one.start()
    expect(one.measured).toEqual([{ 1: 0.5, 2: 0.6 }])
    one.warmUpBy(warmUpFor(1))
    await one.run([view(2)])
    expect(one.measured).toEqual([{ 1: 0.5 }])
  })

  it('goes on with the other workers while one is replaced', async () => {
    const two = pool(2)
    await two.start()
    const outcomes = await Promise.all([two.run([view(2, 1)]), two.run([view(0, 2)]), two.run([view(0, 3)])])
    expect(outcomes.map(({ logits }) => logits[0]![0])).toEqual([1, 2, 3])
    await until(() => two.ready === 2)
  })

  it('passes on what the session refuses, and keeps the worker', async () => {
    const lost: string[] = []
    const one = pool(1, 'good', lost)
    await one.start()
    await expect(one.run([view(1)])).rejects.toMatchObject({ code: 'MODEL_OUTPUT', message: 'wrong shape' })
    expect(lost).toEqual([])
    expect(one.ready).toBe(1)
  })

  it.each([
    ['unusable', 'no such operator'],
    ['broken', 'Error: broken from the start'],
  ])('reports a network that is %s and starts no worker again', async (network, reason) => {
    const lost: string[] = []
    const two = pool(2, network, lost)
    await expect(two.start()).rejects.toMatchObject({ code: 'MODEL_OUTPUT', message: expect.stringContaining(reason) })
    expect(two.ready).toBe(0)
    expect(lost).toEqual([])
  })

  it('lets a run end when it is closed, and refuses what waits', async () => {
    const one = pool(1)
    await one.start()
    const running = one.run([view(0, 5)])
    const waiting = one.run([view(0, 6)])
    const outcomes = Promise.allSettled([running, waiting])
    await one.close()
    const [ended, refused] = await outcomes
    expect(ended).toMatchObject({ value: { logits: [Float32Array.of(5, 0)] } })
    expect(refused).toMatchObject({ reason: { code: 'SERVICE_WORKER_LOST' } })
    await expect(one.run([view(0)])).rejects.toMatchObject({ code: 'SERVICE_WORKER_LOST' })
  })

  it('refuses at once what waits and what comes while no worker can be started, and recovers', async () => {
    const one = pool(1)
    await one.start()
    expect(one.retrySeconds).toBeNull()
    vi.stubEnv('FAKE_WORKER', 'unusable')
    const refused = { code: 'SERVICE_NOT_READY', headers: { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) } }
    await expect(Promise.all([one.run([view(2, 7)]), one.run([view(0, 8)])])).rejects.toMatchObject(refused)
    await expect(one.run([view(0)])).rejects.toMatchObject(refused)
    expect(one.retrySeconds).not.toBeNull()
    vi.unstubAllEnvs()
    await until(() => one.ready === 1)
    expect(one.retrySeconds).toBeNull()
    expect((await one.run([view(0, 9)])).logits[0]![0]).toBe(9)
  })

  it('starts no worker again once it is closed, whatever was lost before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const lost: string[] = []
    const two = pool(2, 'good', lost)
    await two.start()
    const outcomes = Promise.allSettled([two.run([view(3)]), two.run([view(3)])])
    while (lost.length < 2) await new Promise(setImmediate)
    expect(vi.getTimerCount()).toBe(2)
    await two.close()
    expect(vi.getTimerCount()).toBe(0)
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })
})
