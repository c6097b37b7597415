import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectOrder, expectRest } from '@flowers/serve/testing/holds'
import { capacity, overload } from '@flowers/serve/testing/overload'
import { photo } from '@flowers/serve/testing/pictures'
import { shippedModels, startProcess, type ServiceProcess } from '@flowers/serve/testing/process'

let service: ServiceProcess
let pictures: Buffer[]

beforeAll(async () => {
  service = await startProcess({ MODELS_DIR: shippedModels, FLOWERS_LOG_LEVEL: 'info' })
  pictures = await Promise.all([1, 2, 3, 4].map((seed) => photo(seed, 640)))
})
afterAll(() => service.stop())

it.each([1, 2, 5])('keeps order with %i times as many requests as it can answer', async (factor) => {
  const rate = factor * (await capacity({ url: service.url, pictures }))
  const deadlinesMs = [30_000, 5000, 2000]
  const result = await overload({ url: service.url, rate, seconds: 60, deadlinesMs, pictures, seed: factor })
  console.log(JSON.stringify({ ...result, retryAfter: undefined }))
  expectOrder(result)
  // The service gives up quality before it refuses requests.
  if (factor > 1) expect(result.statuses[503]).toBeGreaterThan(0)
  if (factor > 1) expect(Object.keys(result.policies)).toContain('none')
  await expectRest(service)
})
