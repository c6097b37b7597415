import { expect } from 'vitest'
import type { Overload } from './overload.ts'
import type { ServiceProcess } from './process.ts'
import { until } from './service.ts'

/** What a load is held to. */
export interface Order {
  /** Of the requests that were admitted, the share that may be answered with 504 after all. */
  readonly mostLate: number
  /** Of the share that is answered of all, how much the class with the smallest has at least. */
  readonly leastOfMean: number
}

/**
 * Whether more requests than can be answered, or as many, were each answered, refused at once, or late, as they ought to
 * be, and none was refused for its deadline.
 */
export function expectOrder(result: Overload, { mostLate, leastOfMean }: Order): void {
  const { 200: answered = 0, 503: _refused, 504: _late, ...others } = result.statuses
  expect(others).toEqual({})
  expect(answered).toBeGreaterThan(0)
  expect(result.lateShare).toBeLessThanOrEqual(mostLate)
  expect(result.shareOfDeadline).toBeLessThanOrEqual(1)
  for (const each of result.classes) {
    // In the message, which class it was that starved.
    expect({ ...each, isServed: each.answered / each.sent >= (leastOfMean * answered) / result.sent }).toMatchObject({
      isServed: true,
    })
  }
  expect(result.retryAfter.filter((seconds) => !/^[1-9]\d*$/.test(seconds ?? ''))).toEqual([])
  expect(Object.keys(result.livezStatuses)).toEqual(['200'])
}

/** Nothing is left of the requests that were sent: no image waits, no worker is busy. */
export async function expectRest(service: ServiceProcess): Promise<void> {
  const gauges = ['flowers_queue_depth', 'flowers_workers_busy', 'flowers_backlog_seconds']
  const atRest = async (): Promise<boolean> => {
    const values = await Promise.all([...gauges, 'flowers_http_requests_in_flight'].map((each) => service.metric(each)))
    // The requests for the metrics are in flight themselves.
    return values.slice(0, -1).every((value) => value === 0) && values.at(-1)! <= values.length
  }
  await until(atRest)
}
