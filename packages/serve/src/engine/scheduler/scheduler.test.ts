import { afterEach, describe, expect, it, vi } from 'vitest'
import { ForecastErrors } from './forecast.ts'
import type { ServiceLevel } from './forecast.ts'
import type { ViewInput } from '../messages.ts'
import { Scheduler } from './scheduler.ts'
import type { Admission, Runner, Ticket } from './scheduler.ts'

const forever = new AbortController().signal
const level: ServiceLevel = { policy: 'full', work: 1, latency: 1 }

function admit(scheduler: Scheduler, change: Partial<Admission> = {}): Ticket[] {
  return scheduler.admit({ images: 1, levels: [level], decode: 0, seconds: 60, stale: false, ...change }).tickets
}

function one(scheduler: Scheduler): Ticket {
  return admit(scheduler)[0]!
}

/** A view that is told from others by its first byte. */
function view(name: number): ViewInput {
  const pixels = new SharedArrayBuffer(3)
  new Uint8Array(pixels)[0] = name
  return { pixels, flip: 'none' }
}

/** Workers whose runs end when the test says so. */
function workers(count: number, options: { threads?: number; batch?: number } = {}) {
  const runs: number[][] = []
  const ends: ((error?: Error) => void)[] = []
  let busy = 0
  const runner: Runner = {
    get free() {
      return count - busy
    },
    threads: options.threads ?? 1,
    batch: options.batch ?? 1,
    seconds: (views) => views,
    run: (views) => {
      busy++
      runs.push(views.map((each) => ('pixels' in each ? new Uint8Array(each.pixels)[0]! : -1)))
      return new Promise((resolve, reject) => {
        ends.push((error) => {
          busy--
          const logits = views.map((each) => Float32Array.of('pixels' in each ? new Uint8Array(each.pixels)[0]! : -1))
          if (error) reject(error)
          else resolve({ maps: null, logits, seconds: 0.5, prepareSeconds: 0.1 })
        })
      })
    },
  }
  /** Ends the oldest run that is under way, and waits for what follows from it. */
  const end = async (error?: Error): Promise<void> => {
    ends.shift()!(error)
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
  return { runner, runs, end }
}

describe('views', () => {
  it('run in the order of images, whatever is decoded first', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { runner, runs, end } = workers(1)
    const [first, second, third] = [one(scheduler), one(scheduler), one(scheduler)]
    const outcomes = [...third.run(runner, [view(30)], forever)]
    outcomes.push(...second.run(runner, [view(20), view(21)], forever), ...first.run(runner, [view(10)], forever))
    expect(scheduler).toMatchObject({ depth: 2, busy: 1 })
    for (let count = 0; count < 4; count++) await end()
    expect(runs).toEqual([[30], [10], [20], [21]])
    const logits = (await Promise.all(outcomes)).map((outcome) => outcome.logits[0])
    expect(logits).toEqual([30, 20, 21, 10])
    expect(scheduler).toMatchObject({ depth: 0, busy: 0 })
  })

  it('of an older image that needs more come before those of newer ones', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { runner, runs, end } = workers(1)
    const [first, second] = [one(scheduler), one(scheduler)]
    const more = first.run(runner, [view(10)], forever)[0]!.then(() => first.run(runner, [view(11)], forever)[0])
    void second.run(runner, [view(20)], forever)
    await end()
    await end()
    await end()
    await more
    expect(runs).toEqual([[10], [11], [20]])
  })

  it('share runs, also those of several images, and leave every idle worker its part', async () => {
    const scheduler = new Scheduler({ threads: 2, limit: 10 })
    const { runner, runs, end } = workers(2, { batch: 4 })
    const [first, second, third] = [one(scheduler), one(scheduler), one(scheduler)]
    void first.run(runner, [view(10), view(11), view(12)], forever)
    expect(runs).toEqual([[10, 11], [12]])
    void second.run(runner, [view(20), view(21)], forever)
    void third.run(runner, [view(30), view(31), view(32)], forever)
    await end()
    expect(runs.slice(2)).toEqual([[20, 21, 30, 31]])
    await end()
    expect(runs.slice(3)).toEqual([[32]])
  })

  it('run in the order of deadlines; among those of one deadline, in the order of images', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { runner, runs, end } = workers(1)
    const [late, soon] = [admit(scheduler, { seconds: 60 })[0]!, admit(scheduler, { seconds: 30, images: 2 })]
    void late.run(runner, [view(10), view(11)], forever)
    void soon[1]!.run(runner, [view(30)], forever)
    void soon[0]!.run(runner, [view(20), view(21)], forever)
    for (let count = 0; count < 5; count++) await end()
    expect(runs).toEqual([[10], [20], [21], [30], [11]])
  })

  it('that an image needs later keep its deadline', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { runner, runs, end } = workers(1)
    const [late, soon] = [admit(scheduler, { seconds: 60 })[0]!, admit(scheduler, { seconds: 30 })[0]!]
    void soon.run(runner, [view(20)], forever)[0]!.then(() => soon.run(runner, [view(21)], forever))
    void late.run(runner, [view(10)], forever)
    for (let count = 0; count < 3; count++) await end()
    expect(runs).toEqual([[20], [21], [10]])
  })

  it('of several models share the threads, and none waits for ever for two of them at once', async () => {
    const scheduler = new Scheduler({ threads: 2, limit: 10 })
    const small = workers(2)
    const large = workers(1, { threads: 2 })
    const tickets = [one(scheduler), one(scheduler), one(scheduler)]
    void tickets[0]!.run(small.runner, [view(1)], forever)
    void tickets[1]!.run(large.runner, [view(2)], forever)
    void tickets[2]!.run(small.runner, [view(3), view(4)], forever)
    expect([small.runs, large.runs]).toEqual([[[1]], []])
    await small.end()
    expect([small.runs, large.runs]).toEqual([[[1]], [[2]]])
    await large.end()
    expect(small.runs).toEqual([[1], [3], [4]])
  })

  it('are not kept by those of a model whose workers are all busy', () => {
    const scheduler = new Scheduler({ threads: 2, limit: 10 })
    const [busy, other] = [workers(1), workers(1)]
    void one(scheduler).run(busy.runner, [view(1), view(2)], forever)
    void one(scheduler).run(other.runner, [view(3)], forever)
    expect([busy.runs, other.runs]).toEqual([[[1]], [[3]]])
  })

  it('wait for a worker to become warm', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { runner, runs } = workers(1)
    let free = 0
    const cold: Runner = {
      ...runner,
      batch: 1,
      threads: 1,
      get free() {
        return free
      },
    }
    void one(scheduler).run(cold, [view(1)], forever)
    expect(runs).toEqual([])
    free = 1
    scheduler.dispatch()
    expect(runs).toEqual([[1]])
  })

  it('that wait are dropped when nobody waits for them, by an abort or because the label is decided', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { runner, runs, end } = workers(1)
    const controller = new AbortController()
    const [gone, done, last] = [one(scheduler), one(scheduler), one(scheduler)]
    const views = gone.run(runner, [view(10), view(11)], controller.signal)
    const needless = done.run(runner, [view(20)], forever)[0]!
    void last.run(runner, [view(30)], forever)
    controller.abort(new Error('gone'))
    await expect(views[1]).rejects.toThrow('gone')
    done.leave()
    await expect(needless).rejects.toThrow('not needed')
    gone.leave()
    await end()
    await end()
    expect(runs).toEqual([[10], [30]])
    expect(() => gone.run(runner, [view(12)], forever)).toThrow('has left')
    await expect(last.run(runner, [view(31)], AbortSignal.abort(new Error('late')))[0]).rejects.toThrow('late')
    last.leave()
    expect(scheduler).toMatchObject({ depth: 0, busy: 0, backlog: 0 })
  })

  it('are tried without those of other images when their run fails', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { runner, runs, end } = workers(1, { batch: 4 })
    const [blocker, bad, good] = [one(scheduler), one(scheduler), one(scheduler)]
    void blocker.run(runner, [view(1)], forever)
    const outcomes = [...bad.run(runner, [view(20)], forever), ...good.run(runner, [view(30)], forever)]
    const settled = Promise.allSettled(outcomes)
    await end()
    await end(new Error('broken'))
    await end(new Error('broken'))
    await end()
    expect(runs).toEqual([[1], [20, 30], [20], [30]])
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })
})

describe('the age of the queue', () => {
  afterEach(() => vi.useRealTimers())

  it('is that of the image that was admitted first, also when it is not the first to be due', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    admit(scheduler, { seconds: 60 })
    vi.advanceTimersByTime(2000)
    admit(scheduler, { seconds: 10 })
    expect(scheduler.age).toBeCloseTo(2, 6)
  })

  it('is that of the oldest image of which no view began', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { runner, end } = workers(1)
    expect(scheduler.age).toBe(0)
    const oldest = one(scheduler)
    vi.advanceTimersByTime(2000)
    const newer = one(scheduler)
    vi.advanceTimersByTime(500)
    expect(scheduler.age).toBeCloseTo(2.5, 6)
    const [running] = oldest.run(runner, [view(1)], forever)
    expect(scheduler.age).toBeCloseTo(0.5, 6)
    await Promise.all([end(), running])
    newer.leave()
    expect(scheduler.age).toBe(0)
  })
})

describe('admission', () => {
  afterEach(() => vi.useRealTimers())

  it('is up to the limit of images that wait, all of a request or none', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 3 })
    const { runner } = workers(1)
    void one(scheduler).run(runner, [view(1)], forever)
    const tickets = admit(scheduler, { images: 2 })
    expect(() => admit(scheduler, { images: 2 })).toThrow(expect.objectContaining({ code: 'SERVICE_OVERLOADED' }))
    expect(scheduler.depth).toBe(2)
    tickets.push(...admit(scheduler))
    expect(() => scheduler.assertRoom(1)).toThrow('exceed the limit')
    for (const ticket of tickets) ticket.leave()
    expect(scheduler.depth).toBe(0)
  })

  const retryAfter = (act: () => unknown): unknown => {
    try {
      act()
    } catch (error) {
      return (error as { headers: Record<string, string> }).headers['retry-after']
    }
    return undefined
  }

  it('refuses what would be late behind what is due before, and computes when to come again', () => {
    const scheduler = new Scheduler({ threads: 2, limit: 100 })
    const late = (seconds: number, images = 1) => retryAfter(() => admit(scheduler, { seconds, images }))
    admit(scheduler, { seconds: 12, images: 20 })
    // 11 s are needed, and 0.15 of the time is kept free.
    expect(late(12.9)).toBe('1')
    expect(late(13)).toBeUndefined()
    expect(scheduler.backlog).toBe(21)
    expect(late(12.4, 10)).toBe('5')
    expect(retryAfter(() => scheduler.assertRoom(100))).toBe('11')
  })

  it('admits who is in a hurry while those that are due later stay in time', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const scheduler = new Scheduler({ threads: 1, limit: 100 })
    const outcome = (seconds: number, images: number) => {
      try {
        admit(scheduler, { seconds, images })
      } catch (error) {
        return error
      }
      return null
    }
    admit(scheduler, { seconds: 21.2, images: 15 })
    // Of 21.2 s, 15 s are needed and 3.18 s kept free, so that 3 s of work can come before.
    expect(outcome(6, 4)).toMatchObject({
      code: 'SERVICE_OVERLOADED',
      headers: { 'retry-after': '15' },
      message: expect.stringMatching(/would make an image late .* answered in 15000 ms/) as string,
    })
    expect(outcome(6, 2)).toBeNull()
    expect(outcome(2.5, 1)).toBeNull()
    expect(outcome(30, 1)).toBeNull()
    expect(outcome(2.5, 1)).toMatchObject({ code: 'SERVICE_OVERLOADED' })
  })

  it('counts what runs of those that are due later', () => {
    const scheduler = new Scheduler({ threads: 1, limit: 100 })
    const { runner } = workers(1)
    void admit(scheduler, { seconds: 60, levels: [{ ...level, work: 3, latency: 3 }] })[0]!.run(
      { ...runner, free: 1, seconds: () => 3 },
      [view(1)],
      forever,
    )
    expect(retryAfter(() => admit(scheduler, { seconds: 4 }))).toBe('1')
    expect(retryAfter(() => admit(scheduler, { seconds: 4.8 }))).toBeUndefined()
  })

  it('tells when a deadline is too short however little is asked, and steps nobody down for it', () => {
    const scheduler = new Scheduler({ threads: 2, limit: 100 })
    const none: ServiceLevel = { policy: 'none', work: 0.1, latency: 0.1 }
    const short = (): unknown => admit(scheduler, { seconds: 0.5 })
    const refusal: unknown = expect.objectContaining({
      code: 'SERVICE_DEADLINE_SHORT',
      message: expect.stringContaining('takes 1000 ms when nobody else asks, 500 ms are left') as string,
      headers: { 'retry-after': '30' },
    })
    expect(short).toThrow(refusal)
    admit(scheduler)
    expect(short).toThrow(refusal)
    expect(() => admit(scheduler, { images: 5, seconds: 2.9 })).toThrow('takes 3000 ms')
    expect(scheduler.admit({ images: 1, levels: [level, none], decode: 0, seconds: 60, stale: false }).level).toBe(
      level,
    )
  })

  it('refuses more images than may ever wait with what to do about it', () => {
    const scheduler = new Scheduler({ threads: 1, limit: 3 })
    const refusal = expect.objectContaining({ code: 'SERVICE_TOO_LARGE' }) as unknown
    expect(() => admit(scheduler, { images: 4 })).toThrow(refusal)
    expect(() => scheduler.assertRoom(4)).toThrow(refusal)
  })

  it('gives the cheapest level for five seconds after something was refused', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const scheduler = new Scheduler({ threads: 1, limit: 2 })
    const none: ServiceLevel = { policy: 'none', work: 0.1, latency: 0.1 }
    const ask = (levels: ServiceLevel[]): string => {
      const { tickets, level: chosen } = scheduler.admit({ images: 1, levels, decode: 0, seconds: 60, stale: false })
      for (const ticket of tickets) ticket.leave()
      return chosen.policy
    }
    const [first] = admit(scheduler, { images: 2 })
    expect(() => ask([level, none])).toThrow('exceed the limit')
    first!.leave()
    vi.advanceTimersByTime(4900)
    expect([ask([level, none]), ask([level])]).toEqual(['none', 'full'])
    vi.advanceTimersByTime(200)
    expect(ask([level, none])).toBe('full')
  })

  it('does not take being overtaken for an error of the forecast', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { runner, end } = workers(1)
    const observe = vi.spyOn(ForecastErrors.prototype, 'observe')
    const running = admit(scheduler, { seconds: 70 })[0]!
    void running.run(runner, [view(1)], forever)
    const waiting = admit(scheduler, { seconds: 60 })[0]!
    void waiting.run(runner, [view(2)], forever)
    admit(scheduler, { seconds: 10, levels: [{ ...level, work: 3 }] })
    await end()
    running.leave(true)
    waiting.leave(true)
    expect(observe.mock.calls.map(([forecast]) => forecast)).toEqual([1, 1 + 3 + 1])
    observe.mockRestore()
  })

  it('learns from what was late, not from what was given up for other reasons', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const refusesAfter = (milliseconds: number): boolean => {
      const scheduler = new Scheduler({ threads: 1, limit: 10 })
      const first = admit(scheduler, { seconds: 3 })[0]!
      vi.advanceTimersByTime(milliseconds)
      first.leave()
      // One waits, so that forecasts take their margin: 2 s are needed, 3 s are left.
      admit(scheduler, { seconds: 3 })
      return retryAfter(() => admit(scheduler, { seconds: 3 })) !== undefined
    }
    expect(refusesAfter(2900)).toBe(false)
    expect(refusesAfter(3000)).toBe(true)
  })

  it('counts the work down as views are run', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { runner, end } = workers(1)
    const ticket = one(scheduler)
    void ticket.run(runner, [view(1), view(2), view(3)], forever)
    const left = [scheduler.backlog]
    for (let count = 0; count < 3; count++) {
      await end()
      left.push(scheduler.backlog)
    }
    expect(left).toEqual([1, 0.5, 0, 0])
    ticket.leave(true)
  })

  it('steps down where it may, and says to what', () => {
    const scheduler = new Scheduler({ threads: 1, limit: 4 })
    const none: ServiceLevel = { policy: 'none', work: 0.1, latency: 0.1 }
    const ask = (levels: ServiceLevel[], seconds = 60) =>
      scheduler.admit({ images: 1, levels, decode: 0, seconds, stale: false }).level.policy
    expect(ask([level, none], 1.5)).toBe('full')
    expect(ask([level, none], 1.5)).toBe('none')
    expect(ask([level, none])).toBe('full')
    expect(ask([level, none])).toBe('full')
    expect(scheduler.depth).toBe(4)
  })

  it('lets one image in when its cost is not known any more, so that it is measured', () => {
    const scheduler = new Scheduler({ threads: 1, limit: 4 })
    const late = () => retryAfter(() => admit(scheduler, { seconds: 0.5, stale: true }))
    expect(late()).toBeUndefined()
    expect(late()).toBe('30')
  })
})
