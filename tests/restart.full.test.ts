import { expect, it } from 'vitest'
import { rateThatWaits, restartAtSize, restartOneByOne, stopUnderLoad } from '@flowers/serve/testing/restart'

it('answers what it admitted when it is stopped under load, and exits with 0', async () => {
  const { answered, failures, exitCodes } = await stopUnderLoad({ ...(await restartAtSize()), rate: rateThatWaits })
  console.log(`${answered} answers`)
  expect(failures).toEqual([])
  expect(answered).toBeGreaterThan(1)
  expect(exitCodes).toEqual([0])
})

it('fails no request while two instances behind a proxy are restarted one after the other', async () => {
  const rounds = 5
  const { answered, failures, exitCodes } = await restartOneByOne({ ...(await restartAtSize()), rounds })
  console.log(`${answered} answers`)
  expect(failures).toEqual([])
  expect(answered).toBeGreaterThan(1)
  expect(exitCodes).toEqual(Array(rounds * 2).fill(0))
})
