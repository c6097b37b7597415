import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectOrder, expectRest } from './testing/holds.ts'
import { capacity, overload } from './testing/overload.ts'
import { photo } from './testing/pictures.ts'
import { shippedModels, startProcess } from './testing/process.ts'
import type { ServiceProcess } from './testing/process.ts'

let service: ServiceProcess
let pictures: Buffer[]

beforeAll(async () => {
  service = await startProcess({ MODELS_DIR: shippedModels, FLOWERS_LOG_LEVEL: 'info' })
  pictures = await Promise.all([1, 2, 3, 4].map((seed) => photo(seed, 640)))
})
afterAll(() => service.stop())

/** node bench/load.mjs overload measures the times. */
it.each([2, 5])('keeps order with %i times as many requests as it can answer', async (factor) => {
  const rate = factor * (await capacity({ url: service.url, pictures }))
  const deadlinesMs = [30_000, 5000, 2000]
  const result = await overload({ url: service.url, rate, seconds: 60, deadlinesMs, pictures, seed: factor })
  console.log(JSON.stringify({ ...result, retryAfter: undefined }))
  expectOrder(result)
  // Quality is given up before requests are.
  expect(Object.keys(result.policies).length).toBeGreaterThan(1)
  await expectRest(service)
})
