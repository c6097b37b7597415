import { describe, expect, it } from 'vitest'
import { Timetable, type Planned, type Running } from './timetable.ts'

const image = (deadline: number, work: number, change: Partial<Planned> = {}): Planned => ({
  deadline,
  work,
  latency: work,
  decoded: 0,
  ...change,
})

function timetable(images: readonly Planned[], running: readonly Running[] = []): Timetable {
  return new Timetable({ images, running, threads: 2, now: 100 })
}

const noMargin = (): number => 0

describe('the work by a deadline', () => {
  it('is that of images that are due by then', () => {
    const plan = timetable([image(130, 4), image(102, 1), image(105, 2)])
    expect([101, 102, 104, 105, 130].map((deadline) => plan.workBy(deadline))).toEqual([0, 1, 1, 3, 7])
  })

  it('counts what runs of images that are due later, as it cannot be taken back', () => {
    const plan = timetable([image(130, 4), image(102, 1)], [{ deadline: 130, work: 0.5 }])
    expect([101, 110, 130].map((deadline) => plan.workBy(deadline))).toEqual([0.5, 1.5, 5])
  })
})

describe('the slack before a deadline', () => {
  it('has no end where nothing is due later', () => {
    expect(timetable([image(102, 1)]).slackBefore(102, noMargin).work).toBe(Infinity)
  })

  it('is what leaves every later image in time, behind those before it', () => {
    // Two threads: the second begins after 2 s of work, which is 1 s, takes 3 s, and has 10 s: 6 s of both are free.
    const plan = timetable([image(120, 3), image(110, 3), image(104, 2)])
    expect(plan.slackBefore(105, noMargin)).toEqual({ work: 2 * (10 - 3) - 2, until: 1 + 3 })
    // Only the last is due later than this one, which does not come before the others.
    expect(plan.slackBefore(110, noMargin)).toEqual({ work: 2 * (20 - 3) - 5, until: 2.5 + 3 })
    // The tightest counts, though it is due later than the others.
    const tight = timetable([image(104, 6, { latency: 3 }), image(105, 2)])
    expect(tight.slackBefore(101, (left) => (left === 5 ? 1 : 0)).work).toBe(2 * (5 - 1 - 2) - 6)
  })

  it('keeps the margin of each free, and waits for what runs', () => {
    const plan = timetable([image(110, 3)], [{ deadline: 130, work: 1 }])
    expect(plan.slackBefore(101, (left) => left / 10).work).toBe(2 * (10 - 1 - 3) - 1)
  })

  it('does not care for images that are late whatever comes', () => {
    const undecoded = image(103, 1, { decoded: 102.5 })
    expect(timetable([undecoded, image(102, 3)]).slackBefore(101, noMargin).work).toBe(Infinity)
    expect(timetable([undecoded, image(106, 3)]).slackBefore(101, noMargin)).toEqual({
      work: 2 * (6 - 3) - 1,
      until: 3.5,
    })
  })
})
