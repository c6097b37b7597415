import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import { oneView } from '@flowers/shared/image/view'
import { expect, it } from 'vitest'
import { drawnScenes } from '../drawn/drawn-flowers.ts'
import type { Network } from './network.ts'
import { nonFlowersOf, scoreNonFlowers } from './non-flowers.ts'

const preprocessing = { size: 32, cropFraction: 1, kernel: 'bilinear', ...imagenetNormalization } as const
const calibration = {
  temperature: [1],
  conformal: null,
  abstention: { temperature: 2, threshold: [0.7], falseAlarmShare: 0.05, count: 20 },
  fastLead: null,
}
const options = { preprocessing, views: oneView, seed: 1, part: 'measure', each: 2 } as const

const measured = async (network: Network, part: 'fit' | 'measure' = 'measure') =>
  nonFlowersOf(await scoreNonFlowers(network, { ...options, part }), calibration)

/** Is sure of what is bright in the mean. */
const network = (sure: (brightness: number) => boolean) => ({
  size: 32,
  run: async (images: Float32Array, count: number) =>
    Array.from({ length: count }, (_, row) => {
      const image = images.subarray(row * 3 * 32 * 32, (row + 1) * 3 * 32 * 32)
      return Float32Array.of(sure(image.reduce((a, b) => a + b, 0) / image.length) ? 9 : 0, 0, 0)
    }),
  release: async () => {},
})

it('counts pictures of every kind that nothing is named for, with the interval', async () => {
  const none = await measured(network(() => true))
  expect(none.exact).toMatchObject({ value: 0, low: 0, count: 24 })
  expect(none.exact.high).toBeCloseTo(0.142, 2)
  const all = await measured(network(() => false))
  expect(all.none).toMatchObject({ value: 1, high: 1, count: 24 })
  expect(all.kinds.map(({ kind }) => kind).toSorted()).toEqual(drawnScenes.toSorted())
})

it('depends on the pictures, which depend on seed and part, and names the weakest kinds first', async () => {
  const bright = network((brightness) => brightness > 0)
  const { exact, kinds } = await measured(bright)
  expect(await measured(bright)).toMatchObject({ exact, kinds })
  expect(exact.value).toBeGreaterThan(0)
  expect(exact.value).toBeLessThan(1)
  const shares = kinds.map(({ share }) => share)
  expect(shares).toEqual(shares.toSorted((a, b) => a - b))
  expect(shares.reduce((a, b) => a + b) / shares.length).toBeCloseTo(exact.value, 12)
  const said: number[] = []
  const listening = network((brightness) => said.push(brightness) > 0)
  await measured(listening)
  await measured(listening, 'fit')
  expect(new Set(said).size).toBe(48)
})
