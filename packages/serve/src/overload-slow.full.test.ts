import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectOrder, expectRest } from './testing/holds.ts'
import { overload } from './testing/overload.ts'
import { photo } from './testing/pictures.ts'
import { startProcess } from './testing/process.ts'
import type { ServiceProcess } from './testing/process.ts'

let service: ServiceProcess

beforeAll(async () => {
  const environment = { MODEL: 'slow', FLOWERS_WORKERS: '1', FLOWERS_QUEUE_LIMIT: '20', FLOWERS_LOG_LEVEL: 'info' }
  service = await startProcess(environment)
})
afterAll(() => service.stop())

/** A view of this model takes 0.05 s, so one worker answers at most 20 images a second. */
it.each([40, 100])('keeps order with %i requests a second where 20 can be answered', async (rate) => {
  const pictures = await Promise.all([1, 2, 3].map((seed) => photo(seed, 320)))
  const result = await overload({
    url: service.url,
    rate,
    seconds: 3,
    deadlinesMs: [30_000, 5000, 2000],
    pictures,
    seed: rate,
  })
  // A machine that others use at the same time breaks some forecasts that were right; docs/reliability.md has figures.
  expectOrder(result, { mostLate: 0.1, leastOfMean: 0.25 })
  expect(result.statuses[503]).toBeGreaterThan(0)
  // Quality is given up before requests are.
  expect(Object.keys(result.policies)).toContain('none')
  await expectRest(service)
})
