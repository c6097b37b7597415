import { expect, it } from 'vitest'
import { allocator, shippedModels } from '@flowers/serve/testing/process'
import { reloadUnderLoad } from '@flowers/serve/testing/reloads'
import { robustSlope } from '@flowers/serve/testing/statistics'

/** Until then the allocator may take memory for two sets of workers. */
const settled = 20
const reloads = 60

/** Bytes that a reload may add after that. Workers that stay would add the weights of two sessions, 38 MB or more. */
const tolerance = 4e6

/** The model that is shipped: 19 MB, two copies of it for a moment with every reload. */
it(`fails no request over ${reloads} reloads under load, and its memory comes to rest`, async () => {
  const environment = { MODELS_DIR: shippedModels, ...allocator }
  const { answered, failures, resident, failedReloads, exitCode } = await reloadUnderLoad({
    environment,
    model: 'garden18',
    reloads,
    clients: 4,
  })
  const slope = robustSlope(resident.map((bytes, index) => [index, bytes] as const).slice(settled))
  console.log(
    `${answered} answers; ${(slope / 1e6).toFixed(2)} MB a reload after ${settled}; resident MB after each: ${resident.map((bytes) => Math.round(bytes / 1e6)).join(' ')}`,
  )
  expect(failures).toEqual([])
  expect(answered).toBeGreaterThan(1)
  expect(failedReloads).toBe(0)
  expect(slope).toBeLessThan(tolerance)
  expect(exitCode).toBe(0)
})
