import { afterEach, describe, expect, it, vi } from 'vitest'
import { admit, forever, one, view, workers } from '../../testing/scheduling.ts'
import { Scheduler, type Workers } from './scheduler.ts'

describe('views', () => {
  it('run in the order of images, whatever is decoded first', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { pool, runs, end } = workers(1)
    const [first, second, third] = [one(scheduler), one(scheduler), one(scheduler)]
    const outcomes = [...third.run(pool, [view(30)], forever)]
    outcomes.push(...second.run(pool, [view(20), view(21)], forever), ...first.run(pool, [view(10)], forever))
    expect(scheduler).toMatchObject({ depth: 2, busy: 1 })
    for (let count = 0; count < 4; count++) await end()
    expect(runs).toEqual([[30], [10], [20], [21]])
    const logits = (await Promise.all(outcomes)).map((outcome) => outcome.logits[0])
    expect(logits).toEqual([30, 20, 21, 10])
    expect(scheduler).toMatchObject({ depth: 0, busy: 0 })
  })

  it('of an older image that needs more come before those of newer ones', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { pool, runs, end } = workers(1)
    const [first, second] = [one(scheduler), one(scheduler)]
    const more = first.run(pool, [view(10)], forever)[0]!.then(() => first.run(pool, [view(11)], forever)[0])
    void second.run(pool, [view(20)], forever)
    await end()
    await end()
    await end()
    await more
    expect(runs).toEqual([[10], [11], [20]])
  })

  it('share runs, also those of several images, and leave every idle worker its part', async () => {
    const scheduler = new Scheduler({ threads: 2, limit: 10 })
    const { pool, runs, end } = workers(2, { batch: 4 })
    const [first, second, third] = [one(scheduler), one(scheduler), one(scheduler)]
    void first.run(pool, [view(10), view(11), view(12)], forever)
    expect(runs).toEqual([[10, 11], [12]])
    void second.run(pool, [view(20), view(21)], forever)
    void third.run(pool, [view(30), view(31), view(32)], forever)
    await end()
    expect(runs.slice(2)).toEqual([[20, 21, 30, 31]])
    await end()
    expect(runs.slice(3)).toEqual([[32]])
  })

  it('run in the order of deadlines; among those of one deadline, in the order of images', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { pool, runs, end } = workers(1)
    const [late, soon] = [admit(scheduler, { seconds: 60 })[0]!, admit(scheduler, { seconds: 30, images: 2 })]
    void late.run(pool, [view(10), view(11)], forever)
    void soon[1]!.run(pool, [view(30)], forever)
    void soon[0]!.run(pool, [view(20), view(21)], forever)
    for (let count = 0; count < 5; count++) await end()
    expect(runs).toEqual([[10], [20], [21], [30], [11]])
  })

  it('that an image needs later keep its deadline', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { pool, runs, end } = workers(1)
    const [late, soon] = [admit(scheduler, { seconds: 60 })[0]!, admit(scheduler, { seconds: 30 })[0]!]
    void soon.run(pool, [view(20)], forever)[0]!.then(() => soon.run(pool, [view(21)], forever))
    void late.run(pool, [view(10)], forever)
    for (let count = 0; count < 3; count++) await end()
    expect(runs).toEqual([[20], [21], [10]])
  })

  it('of several models share the threads, and none waits for ever for two of them at once', async () => {
    const scheduler = new Scheduler({ threads: 2, limit: 10 })
    const small = workers(2)
    const large = workers(1, { threads: 2 })
    const tickets = [one(scheduler), one(scheduler), one(scheduler)]
    void tickets[0]!.run(small.pool, [view(1)], forever)
    void tickets[1]!.run(large.pool, [view(2)], forever)
    void tickets[2]!.run(small.pool, [view(3), view(4)], forever)
    expect([small.runs, large.runs]).toEqual([[[1]], []])
    await small.end()
    expect([small.runs, large.runs]).toEqual([[[1]], [[2]]])
    await large.end()
    expect(small.runs).toEqual([[1], [3], [4]])
  })

  it('are not kept by those of a model whose workers are all busy', () => {
    const scheduler = new Scheduler({ threads: 2, limit: 10 })
    const [busy, other] = [workers(1), workers(1)]
    void one(scheduler).run(busy.pool, [view(1), view(2)], forever)
    void one(scheduler).run(other.pool, [view(3)], forever)
    expect([busy.runs, other.runs]).toEqual([[[1]], [[3]]])
  })

  it('wait for a worker to become warm', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { pool, runs } = workers(1)
    let free = 0
    const cold: Workers = {
      ...pool,
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
    const { pool, runs, end } = workers(1)
    const controller = new AbortController()
    const [gone, done, last] = [one(scheduler), one(scheduler), one(scheduler)]
    const views = gone.run(pool, [view(10), view(11)], controller.signal)
    const needless = done.run(pool, [view(20)], forever)[0]!
    void last.run(pool, [view(30)], forever)
    controller.abort(new Error('gone'))
    await expect(views[1]).rejects.toThrow('gone')
    done.leave()
    await expect(needless).rejects.toThrow('not needed')
    gone.leave()
    await end()
    await end()
    expect(runs).toEqual([[10], [30]])
    expect(() => gone.run(pool, [view(12)], forever)).toThrow('has left')
    await expect(last.run(pool, [view(31)], AbortSignal.abort(new Error('late')))[0]).rejects.toThrow('late')
    last.leave()
    expect(scheduler).toMatchObject({ depth: 0, busy: 0, backlog: 0 })
  })

  it('are tried without those of other images when their run fails', async () => {
    const scheduler = new Scheduler({ threads: 1, limit: 10 })
    const { pool, runs, end } = workers(1, { batch: 4 })
    const [blocker, bad, good] = [one(scheduler), one(scheduler), one(scheduler)]
    void blocker.run(pool, [view(1)], forever)
    const outcomes = [...bad.run(pool, [view(20)], forever), ...good.run(pool, [view(30)], forever)]
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
    const { pool, end } = workers(1)
    expect(scheduler.age).toBe(0)
    const oldest = one(scheduler)
    vi.advanceTimersByTime(2000)
    const newer = one(scheduler)
    vi.advanceTimersByTime(500)
    expect(scheduler.age).toBeCloseTo(2.5, 6)
    const [running] = oldest.run(pool, [view(1)], forever)
    expect(scheduler.age).toBeCloseTo(0.5, 6)
    await Promise.all([end(), running])
    newer.leave()
    expect(scheduler.age).toBe(0)
  })
})
