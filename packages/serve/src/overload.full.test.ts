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

/**
 * The sender shares the cores with the service, so times are the median of windows of ten seconds; those of everything are
 * in docs/reliability.md, from node bench/load.mjs overload.
 */
it.each([1, 2, 5])('keeps order with %i times as many requests as it can answer', async (factor) => {
  const rate = factor * (await capacity({ url: service.url, pictures }))
  const deadlinesMs = [30_000, 5000, 2000]
  const result = await overload({ url: service.url, rate, seconds: 60, deadlinesMs, pictures, seed: factor })
  console.log(JSON.stringify({ ...result, retryAfter: undefined }))
  expectOrder(result, { mostLate: 0.01, leastOfMean: 0.25 })
  // Quality is given up before requests are.
  expect(result.policies['none'] ?? 0).toBeGreaterThan((result.statuses[200] ?? 0) / 2)
  if (factor === 1) expect(result.statuses[200]! / result.sent).toBeGreaterThan(0.7)
  else {
    expect(result.statuses[503]).toBeGreaterThan(0)
    expect(result.refusedMedianP99).toBeLessThan(50)
  }
  expect(result.livezMedianP99).toBeLessThan(20)
  await expectRest(service)
})
