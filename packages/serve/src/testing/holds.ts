import { expect } from 'vitest'
import type { Overload } from './overload.ts'
import type { ServiceProcess } from './process.ts'
import { until } from './service.ts'

/**
 * Expects that each request was answered, refused at once with a time to wait, or late and that `/livez` always
 * answered. Shares and times depend on the machine: docs/reliability.md has them, and
 * `shares.test.ts` holds the shares in virtual time.
 */
export function expectOrder({ statuses, retryAfter, livezStatuses }: Overload): void {
  const { 200: answered = 0, 503: _refused, 504: _late, ...others } = statuses
  expect(others).toEqual({})
  expect(answered).toBeGreaterThan(0)
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
