import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import { FakeThread } from '@flowers/shared/testing/fake-thread'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { warmUpFor } from './batch.ts'
import type { WorkerMessage, WorkerSettings } from './messages.ts'
import { Pool } from './pool.ts'

const preprocessing = { size: 1, cropFraction: 1, kernel: 'bilinear', ...imagenetNormalization } as const
const view = { pixels: new SharedArrayBuffer(3), flip: 'none' } as const

let threads: FakeThread[]
let started: WorkerSettings[]
let lost: string[]

beforeEach(() => {
  ;[threads, started, lost] = [[], [], []]
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => vi.useRealTimers())

function pool(workers: number, onTurn = (): void => {}): Pool {
  const createWorker = (settings: WorkerSettings): FakeThread => {
    started.push(settings)
    threads.push(new FakeThread())
    return threads.at(-1)!
  }
  const file = { network: 'a network', bytes: 0, sha256: '' }
  const settings = { ...file, classes: 2, preprocessing, threads: 1, needsKnown: false, warmUp: warmUpFor(2) }
  return new Pool({ createWorker, workers, settings, onLost: (reason) => lost.push(reason), onTurn })
}

const say = (thread: number, message: WorkerMessage): void => threads[thread]!.reply(message)
const warm = (thread: number, seconds = 0.5): void =>
  say(thread, { kind: 'warm', seconds: { 1: seconds }, explains: true })

async function warmPool(workers: number, onTurn?: () => void): Promise<Pool> {
  const made = pool(workers, onTurn)
  const starting = made.start()
  for (let thread = 0; thread < workers; thread++) warm(thread)
  await starting
  return made
}

describe('Pool', () => {
  it('tells what its workers found when they warmed up', async () => {
    const turn = vi.fn<() => void>()
    const two = await warmPool(2, turn)
    expect(two).toMatchObject({ ready: 2, free: 2, explains: true, measured: [{ 1: 0.5 }, { 1: 0.5 }] })
    expect(turn).toHaveBeenCalledTimes(2)
  })

  it('runs views as one batch and gives the logits of each', async () => {
    const one = await warmPool(1)
    const running = one.run([view, view])
    expect(threads[0]!.task).toEqual({ run: 1, views: [view, view] })
    const times = { maps: null, known: null, seconds: 0.25, prepareSeconds: 0.125 }
    say(0, { kind: 'logits', run: 1, logits: Float32Array.of(1, 0, 2, 0), ...times })
    expect(await running).toEqual({ logits: [Float32Array.of(1, 0), Float32Array.of(2, 0)], ...times })
  })

  it('passes on what the session refuses, and keeps the worker', async () => {
    const one = await warmPool(1)
    const running = one.run([view])
    say(0, { kind: 'failed', run: 1, reason: 'wrong shape' })
    await expect(running).rejects.toMatchObject({ code: 'MODEL_OUTPUT', message: 'wrong shape' })
    expect([one.ready, lost]).toEqual([1, []])
  })

  it('refuses a run that stopped two workers, which start again as they are told by then', async () => {
    const one = await warmPool(1)
    one.warmUpBy(warmUpFor(1))
    const running = one.run([view])
    for (const thread of [0, 1]) {
      threads[thread]!.die(new Error('stopped'))
      vi.advanceTimersByTime(0)
      warm(thread + 1, 0.25)
    }
    await expect(running).rejects.toMatchObject({ code: 'SERVICE_WORKER_LOST', headers: { 'retry-after': '1' } })
    expect(lost).toEqual(['Error: stopped', 'Error: stopped'])
    expect(started.map(({ warmUp }) => warmUp)).toEqual([warmUpFor(2), warmUpFor(1), warmUpFor(1)])
    expect(one.measured).toEqual([{ 1: 0.25 }])
  })

  it.each(['MODEL_TAMPERED', 'MODEL_OUTPUT'] as const)('reports a network that is unusable: %s', async (code) => {
    const starting = pool(1).start()
    say(0, { kind: 'unusable', code, reason: 'no such operator' })
    threads[0]!.die()
    await expect(starting).rejects.toMatchObject({
      code,
      message: 'A worker could not be started with a network: no such operator',
    })
    expect(lost).toEqual([])
  })

  it('reports a worker that stops before it is warm', async () => {
    const starting = pool(1).start()
    threads[0]!.die(new Error('broken'))
    await expect(starting).rejects.toMatchObject({ code: 'MODEL_OUTPUT', message: expect.stringMatching(/: broken$/) })
  })

  it('refuses runs while no worker can be started, and tells when one may be', async () => {
    const one = await warmPool(1)
    threads[0]!.die()
    vi.advanceTimersByTime(0)
    threads[1]!.die()
    const refused = { code: 'SERVICE_NOT_READY', headers: { 'retry-after': '1' } }
    await expect(one.run([view])).rejects.toMatchObject(refused)
    expect(() => one.assertRunnable()).toThrow(expect.objectContaining(refused))
    expect(one.retrySeconds).toBeCloseTo(0.2, 6)
  })

  it('lets a run end when it is closed, by a message: a thread that is terminated within a run aborts the process', async () => {
    const one = await warmPool(1)
    const terminate = vi.spyOn(threads[0]!, 'terminate')
    const outcomes = Promise.allSettled([one.run([view]), one.run([view])])
    const closing = one.close()
    expect(threads[0]!.task).toEqual({ close: true })
    say(0, {
      kind: 'logits',
      run: 1,
      logits: new Float32Array(2),
      maps: null,
      known: null,
      seconds: 1,
      prepareSeconds: 0,
    })
    threads[0]!.die()
    await closing
    expect(await outcomes).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'SERVICE_WORKER_LOST' } }])
    expect(terminate).not.toHaveBeenCalled()
  })
})
