import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeThread } from './testing/fake-thread.ts'
import { WorkerPool, type Report, type WorkerPoolOptions, type WorkerThread } from './worker-pool.ts'

let threads: FakeThread[]

beforeEach(() => {
  threads = []
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => vi.useRealTimers())

/** Threads that are sent texts, and say what a message of theirs means. */
class Texts extends WorkerPool<string, string> {
  readonly abandoned: string[] = []
  readonly large = new Set<string>()
  /** Whether threads end when they are asked to. */
  ends = true

  protected createThread(): FakeThread {
    threads.push(new FakeThread())
    return threads.at(-1)!
  }
  protected post(thread: WorkerThread, task: string): void {
    thread.postMessage(task)
  }
  protected read(message: unknown, task: string | null): Report<string> {
    if (message === 'large') this.large.add(task!)
    return message === 'large' ? { kind: 'again' } : (message as Report<string>)
  }
  protected end(thread: WorkerThread): void {
    if (this.ends) void thread.terminate()
  }
  protected lost(reason: string): Error {
    return new Error(`lost: ${reason}`)
  }
  protected down(seconds: number): Error {
    return new Error(`down for ${seconds} s`)
  }
  protected override startFailed(reason: string): Error {
    return new Error(`no start: ${reason}`)
  }
  protected override mayBegin(task: string, running: readonly string[]): boolean {
    return !this.large.has(task) || !running.some((each) => this.large.has(each))
  }
  protected override abandon(task: string): void {
    this.abandoned.push(task)
  }
}

const pool = (count: number, options: Partial<WorkerPoolOptions> = {}): Texts =>
  new Texts({ threads: count, ...options })

const tasks = (): unknown[] => threads.map(({ task }) => task)
const reply = (thread: FakeThread, text: string): void => thread.reply({ kind: 'done', reply: text })
const ready = (thread: FakeThread): void => thread.reply({ kind: 'ready' })
/** Microtasks have run. */
const settle = (): Promise<unknown> => new Promise(setImmediate)

describe('tasks', () => {
  it('are given to free threads in order, and replied by them', async () => {
    const two = pool(2)
    await two.start()
    const replies = Promise.all(['a', 'b', 'c'].map((task) => two.run(task)))
    expect(tasks()).toEqual(['a', 'b'])
    expect(two).toMatchObject({ ready: 2, free: 0, waiting: 1 })
    reply(threads[1]!, 'B')
    expect(tasks()).toEqual(['a', 'c'])
    reply(threads[0]!, 'A')
    reply(threads[1]!, 'C')
    expect(await replies).toEqual(['A', 'B', 'C'])
    expect(two).toMatchObject({ free: 2, waiting: 0 })
  })

  it('fail as the thread reports, which takes the next one', async () => {
    const one = pool(1)
    await one.start()
    const failed = one.run('a')
    void one.run('b')
    threads[0]!.reply({ kind: 'failed', error: new Error('no') })
    await expect(failed).rejects.toThrow('no')
    expect(tasks()).toEqual(['b'])
  })

  it('begin only beside what they may run with, and come first when they are to be tried again', async () => {
    const two = pool(2)
    await two.start()
    for (const task of ['L1', 'L2', 's']) void two.run(task)
    threads[0]!.reply('large')
    threads[1]!.reply('large')
    expect(tasks()).toEqual(['L1', 's'])
    reply(threads[1]!, 'done')
    expect(tasks()).toEqual(['L1', null])
    reply(threads[0]!, 'done')
    expect(tasks()).toEqual(['L2', null])
  })

  it('are let go when they are aborted: what waits never begins, what runs is abandoned', async () => {
    const one = pool(1)
    await one.start()
    ready(threads[0]!)
    const controller = new AbortController()
    const outcomes = Promise.allSettled(['a', 'b'].map((task) => one.run(task, controller.signal)))
    const last = one.run('c')
    controller.abort(new Error('gone'))
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect([one.abandoned, one.waiting]).toEqual([['a'], 1])
    await expect(one.run('d', controller.signal)).rejects.toThrow('gone')
    // It is not tried again either.
    threads[0]!.die()
    vi.advanceTimersByTime(0)
    expect(threads[1]!.task).toBe('c')
    reply(threads[1]!, 'C')
    expect(await last).toBe('C')
  })
})

describe('a thread that stops', () => {
  it('is replaced, and its task is tried once more', async () => {
    const lost: string[] = []
    const one = pool(1, { waitForReady: true, onLost: (reason) => lost.push(reason) })
    const started = one.start()
    ready(threads[0]!)
    await started
    const task = one.run('a')
    for (const round of [0, 1]) {
      threads[round]!.die(new Error('broken'))
      vi.advanceTimersByTime(0)
      ready(threads[round + 1]!)
    }
    await expect(task).rejects.toThrow('lost: Error: broken')
    expect(lost).toEqual(['Error: broken', 'Error: broken'])
    expect([one.free, threads.length]).toEqual([1, 3])
  })

  it('leaves its task to a thread that is free', async () => {
    const two = pool(2)
    await two.start()
    const task = two.run('a')
    threads[0]!.die()
    expect(threads[1]!.task).toBe('a')
    reply(threads[1]!, 'A')
    expect(await task).toBe('A')
  })

  it('is not replaced once the pool was closed by who heard of it', async () => {
    const one = pool(1, { onLost: () => void one.close() })
    await one.start()
    reply(threads[0]!, 'it works')
    threads[0]!.die()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('starts that fail', () => {
  it('back off also while another thread answers', async () => {
    const two = pool(2, { waitForReady: true })
    const started = two.start()
    ready(threads[0]!)
    ready(threads[1]!)
    await started
    threads[0]!.die()
    let starts = 0
    // Eight seconds of traffic, and a start that fails as soon as it is tried.
    for (let ms = 0; ms < 8000; ms += 50) {
      void two.run('task')
      threads[1]!.reply({ kind: 'done', reply: 'ok' })
      vi.advanceTimersByTime(50)
      if (threads.length > 2 + starts) {
        starts++
        threads.at(-1)!.die()
      }
    }
    expect(starts).toBeGreaterThan(3)
    expect(starts).toBeLessThan(10)
  })

  it('the first time end the pool, and start() tells why', async () => {
    const lost: string[] = []
    const two = pool(2, { waitForReady: true, onLost: (reason) => lost.push(reason) })
    const started = two.start()
    ready(threads[0]!)
    threads[1]!.reply({ kind: 'unusable', reason: 'bad', error: new Error('bad file') })
    threads[1]!.die()
    await expect(started).rejects.toThrow('bad file')
    expect([two.ready, lost, vi.getTimerCount()]).toEqual([0, [], 0])
    const broken = pool(1, { waitForReady: true }).start()
    threads[2]!.die(new Error('boom'))
    await expect(broken).rejects.toThrow('no start: Error: boom')
  })

  it('later are tried again after longer and longer pauses, and meanwhile all is refused', async () => {
    const turn = vi.fn<() => void>()
    const one = pool(1, { waitForReady: true, onTurn: turn })
    const started = one.start()
    ready(threads[0]!)
    await started
    const waiting = Promise.allSettled([one.run('a'), one.run('b')])
    threads[0]!.die()
    expect(one.retrySeconds).toBeNull()
    vi.advanceTimersByTime(0)
    threads[1]!.die()
    expect((await waiting).map((outcome) => String((outcome as PromiseRejectedResult).reason))).toEqual(
      Array(2).fill('Error: down for 0.2 s'),
    )
    expect(one.retrySeconds).toBeCloseTo(0.2, 6)
    expect(() => one.assertRunnable()).toThrow('down')
    await expect(one.run('c')).rejects.toThrow('down')
    vi.advanceTimersByTime(200)
    expect(one.retrySeconds).toBe(0)
    threads[2]!.die()
    expect(one.retrySeconds).toBeCloseTo(0.4, 6)
    // Once as it was ready, and at each try that failed.
    expect(turn).toHaveBeenCalledTimes(3)
    vi.advanceTimersByTime(400)
    ready(threads[3]!)
    expect(one.retrySeconds).toBeNull()
    void one.run('d')
    expect(threads[3]!.task).toBe('d')
  })
})

describe('a pool that is closed', () => {
  it('refuses what waits, and lets run what runs until its thread ends', async () => {
    const one = pool(1)
    one.ends = false
    await one.start()
    const outcomes = Promise.allSettled([one.run('a'), one.run('b')])
    let closed = false
    const closing = one.close().then(() => (closed = true))
    await expect(one.run('c')).rejects.toThrow('closed')
    reply(threads[0]!, 'A')
    await settle()
    expect(closed).toBe(false)
    threads[0]!.die()
    await closing
    expect(await outcomes).toMatchObject([{ value: 'A' }, { reason: { message: 'lost: the pool is closed' } }])
  })

  it('starts no thread again, whatever was lost before', async () => {
    const two = pool(2)
    await two.start()
    for (const thread of threads) reply(thread, 'works')
    threads[0]!.die()
    expect(vi.getTimerCount()).toBe(1)
    await two.close()
    expect(vi.getTimerCount()).toBe(0)
    expect(threads).toHaveLength(2)
  })
})
