import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectOrder, expectRest } from '@flowers/serve/testing/holds'
import { overload } from '@flowers/serve/testing/overload'
import { photo } from '@flowers/serve/testing/pictures'
import { startProcess, type ServiceProcess } from '@flowers/serve/testing/process'

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
  console.log(JSON.stringify({ ...result, retryAfter: undefined }))
  expectOrder(result)
  expect(result.statuses[503]).toBeGreaterThan(0)
  // The service gives up quality before it refuses requests.
  expect(Object.keys(result.policies)).toContain('none')
  await expectRest(service)
})
