import { expect, it } from 'vitest'
import { expectRest } from './testing/holds.ts'
import { startProcess } from './testing/process.ts'
import { soak } from './testing/soak.ts'

/** Less than the pictures have that were sent: a service that keeps them, or what it decoded of them, grows faster. */
const tolerance = 40e3

it('answers requests of every kind and keeps nothing of them', async () => {
  const service = await startProcess()
  const { statuses, slope, samples } = await soak({
    service,
    requests: 900,
    warmUp: 300,
    sides: [320, 640],
    manyViews: 1,
    seed: 1,
  })
  const { 200: answered = 0, left = 0, ...others } = statuses
  expect(others).toEqual({})
  expect(answered + left).toBe(900)
  expect(left).toBeGreaterThan(0)
  expect(samples.length).toBeGreaterThan(100)
  expect(slope).toBeLessThan(tolerance)
  await expectRest(service)
  expect(await service.stop()).toBe(0)
})
