import { afterEach, describe, expect, it, vi } from 'vitest'
import { admit, forever, level, one, view, workers } from '../../testing/scheduling.ts'
import { ForecastErrors, type ServiceLevel } from './forecast.ts'
import { Scheduler } from './scheduler.ts'

describe('admission', () => {
  afterEach(() => vi.useRealTimers())

  it('is up to the limit of images that wait, all of a request or none', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 3 })
    const { pool } = workers(1)
    void one(scheduler).run(pool, [view(1)], forever)
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
    const { pool } = workers(1)
    void admit(scheduler, { seconds: 60, levels: [{ ...level, work: 3, latency: 3 }] })[0]!.run(
      { ...pool, free: 1, seconds: () => 3 },
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
    const errors = new ForecastErrors()
    const observe = vi.spyOn(errors, 'observe')
    const scheduler = new Scheduler({ threads: 1, limit: 10, errors })
    const { pool, end } = workers(1)
    const running = admit(scheduler, { seconds: 70 })[0]!
    void running.run(pool, [view(1)], forever)
    const waiting = admit(scheduler, { seconds: 60 })[0]!
    void waiting.run(pool, [view(2)], forever)
    admit(scheduler, { seconds: 10, levels: [{ ...level, work: 3 }] })
    await end()
    running.leave(true)
    waiting.leave(true)
    expect(observe.mock.calls.map(([forecast]) => forecast)).toEqual([1, 1 + 3 + 1])
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
    const { pool, end } = workers(1)
    const ticket = one(scheduler)
    void ticket.run(pool, [view(1), view(2), view(3)], forever)
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
