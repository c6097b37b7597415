import { describe, expect, it } from 'vitest'
import { Scheduler } from './scheduler.ts'
import type { Ticket } from './scheduler.ts'

const forever = new AbortController().signal

function one(scheduler: Scheduler): Ticket {
  return scheduler.admit(1)[0]!
}

describe('Scheduler', () => {
  it('gives slots in the order of asking, each when one is given back', async () => {
    const scheduler = new Scheduler({ slots: 1, limit: 10 })
    const order: number[] = []
    const first = await one(scheduler).slot(forever)
    const others = [1, 2, 3].map(async (number) => {
      const release = await one(scheduler).slot(forever)
      order.push(number)
      release()
    })
    expect(scheduler).toMatchObject({ depth: 3, busy: 1 })
    first()
    await Promise.all(others)
    expect(order).toEqual([1, 2, 3])
    expect(scheduler).toMatchObject({ depth: 0, busy: 0 })
  })

  it('admits up to the limit beyond the slots, all images of a request or none', async () => {
    const scheduler = new Scheduler({ slots: 1, limit: 3 })
    const running = await one(scheduler).slot(forever)
    const tickets = scheduler.admit(2)
    expect(() => scheduler.admit(2)).toThrow(expect.objectContaining({ code: 'SERVICE_OVERLOADED' }))
    expect(scheduler.depth).toBe(2)
    tickets.push(...scheduler.admit(1))
    expect(() => scheduler.assertRoom(1)).toThrow('exceed the limit')
    for (const ticket of tickets) ticket.leave()
    expect(scheduler.depth).toBe(0)
    running()
  })

  it('computes Retry-After from what images cost and how many are before', () => {
    const scheduler = new Scheduler({ slots: 2, limit: 8 })
    const retryAfter = (): unknown => {
      try {
        scheduler.assertRoom(9)
      } catch (error) {
        return (error as { headers: Record<string, string> }).headers['retry-after']
      }
      return undefined
    }
    expect(retryAfter()).toBe('1')
    scheduler.measured(3)
    expect(retryAfter()).toBe('1')
    scheduler.admit(5)
    expect(retryAfter()).toBe('8')
    for (let index = 0; index < 100; index++) scheduler.measured(1)
    expect(retryAfter()).toBe('3')
  })

  it('forgets an image that is aborted while it waits', async () => {
    const scheduler = new Scheduler({ slots: 1, limit: 10 })
    const running = await one(scheduler).slot(forever)
    const controller = new AbortController()
    const ticket = one(scheduler)
    const waiting = ticket.slot(controller.signal)
    const behind = one(scheduler).slot(forever)
    controller.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    ticket.leave()
    running()
    const release = await behind
    release()
    expect(scheduler).toMatchObject({ depth: 0, busy: 0 })
    await expect(one(scheduler).slot(AbortSignal.abort(new Error('late')))).rejects.toThrow('late')
  })

  it('lends spare slots only while nobody waits, and takes each back once', async () => {
    const scheduler = new Scheduler({ slots: 2, limit: 10 })
    const running = await one(scheduler).slot(forever)
    const spare = scheduler.spare()
    expect(spare).not.toBeNull()
    expect(scheduler.spare()).toBeNull()
    const waiting = one(scheduler).slot(forever)
    spare!()
    spare!()
    const second = await waiting
    expect(scheduler).toMatchObject({ depth: 0, busy: 2 })
    running()
    second()
    expect(scheduler.busy).toBe(0)
  })
})
