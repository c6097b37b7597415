import { expect, it } from 'vitest'
import { TensorflowError } from '@flowers/tensorflow/errors'
import { largestThatFits, measureNeed } from './memory.ts'

it('finds the largest half that does not run out of memory', async () => {
  const limitedTo = (limit: number) => async (batch: number) => {
    if (batch > limit) throw new TensorflowError('TENSORFLOW_OUT_OF_MEMORY', 'no')
  }
  expect(await largestThatFits(64, limitedTo(20))).toBe(16)
  expect(await largestThatFits(64, limitedTo(0))).toBe(0)
  await expect(largestThatFits(64, () => Promise.reject(new TypeError('other')))).rejects.toThrow('other')
})

it.runIf(process.platform === 'linux')('measures what a batch takes', async () => {
  const perPhoto = 30 * 2 ** 20
  let held: Uint8Array | undefined
  const need = await measureNeed(async (batch) => {
    held = new Uint8Array(batch * perPhoto).fill(1)
  })
  expect(held).toBeDefined()
  expect(need.perPhoto).toBeGreaterThan(0.5 * perPhoto)
  expect(need.perPhoto).toBeLessThan(2 * perPhoto)
})
