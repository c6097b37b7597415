import { expect } from 'vitest'
import type { Overload } from './overload.ts'
import type { ServiceProcess } from './process.ts'
import { until } from './service.ts'

/**
 * Of the requests, the share that may be answered with 504: admitted, and not ready in time after all. Without forecasts
 * most would be; a machine that others use at the same time breaks some that were right (docs/reliability.md has figures).
 */
const mostLate = 0.1

/** Whether more requests than can be answered were each answered, refused at once, or late, as they ought to be. */
export function expectOrder({ sent, statuses, shareOfDeadline, retryAfter, livezStatuses }: Overload): void {
  const { 200: answered = 0, 503: refused = 0, 504: late = 0, ...others } = statuses
  expect(others).toEqual({})
  expect(answered).toBeGreaterThan(0)
  expect(refused).toBeGreaterThan(0)
  expect(late / sent).toBeLessThanOrEqual(mostLate)
  expect(shareOfDeadline).toBeLessThanOrEqual(1)
  expect(retryAfter.filter((seconds) => !/^[1-9]\d*$/.test(seconds ?? ''))).toEqual([])
  expect(Object.keys(livezStatuses)).toEqual(['200'])
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
