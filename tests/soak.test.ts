import { expect, it } from 'vitest'
import { expectRest } from '@flowers/serve/testing/holds'
import { startProcess } from '@flowers/serve/testing/process'
import { soak } from '@flowers/serve/testing/soak'

/** Bytes a request: a fifth of the pixels that a picture has on average. A service that keeps what it decoded grows faster. */
const tolerance = 150e3

it('answers requests of every kind and keeps nothing of them', async () => {
  const service = await startProcess()
  const { statuses, slope, samples } = await soak({
    service,
    requests: 500,
    warmUp: 200,
    sides: [320, 640],
    manyViews: 1,
    seed: 1,
  })
  const { 200: answered = 0, left = 0, ...others } = statuses
  expect(others).toEqual({})
  expect(answered + left).toBe(500)
  expect(samples.length).toBeGreaterThan(100)
  expect(slope).toBeLessThan(tolerance)
  await expectRest(service)
  expect(await service.stop()).toBe(0)
})
