import { expect, it } from 'vitest'
import { expectRest } from '@flowers/serve/testing/holds'
import { allocator, shippedModels, startProcess } from '@flowers/serve/testing/process'
import { soak, soakAtSize } from '@flowers/serve/testing/soak'

it('grows by less than 1 MB with 1,000 requests of every kind', async () => {
  const service = await startProcess({ MODELS_DIR: shippedModels, FLOWERS_LOG_LEVEL: 'info', ...allocator })
  const { statuses, slope, samples } = await soak({ service, ...soakAtSize })
  const { 200: answered = 0, left = 0, ...others } = statuses
  console.log(
    `${answered} answers, ${left} left; ${slope.toFixed(0)} bytes a request; resident MB: ${samples.map(([, bytes]) => Math.round(bytes / 1e6)).join(' ')}`,
  )
  expect(others).toEqual({})
  expect(answered + left).toBe(soakAtSize.requests)
  expect(slope).toBeLessThan(1e3)
  await expectRest(service)
  expect(await service.stop()).toBe(0)
})
