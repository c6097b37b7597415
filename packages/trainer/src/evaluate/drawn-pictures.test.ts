import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import { oneView } from '@flowers/shared/image/view'
import { expect, it } from 'vitest'
import { drawnScenes } from '../drawn/drawn-flowers.ts'
import { drawnKind, scoreDrawn } from './drawn-pictures.ts'

const preprocessing = { size: 32, cropFraction: 1, kernel: 'bilinear', ...imagenetNormalization } as const

/** Says the brightness of the mean as its one logit. */
const network = {
  size: 32,
  run: async (images: Float32Array, count: number) =>
    Array.from({ length: count }, (_, row) => {
      const image = images.subarray(row * 3 * 32 * 32, (row + 1) * 3 * 32 * 32)
      return { logits: Float32Array.of(image.reduce((a, b) => a + b, 0) / image.length), known: null, features: null }
    }),
  release: async () => {},
}
const brightness = async (seed: number, part: 'fit' | 'measure' = 'measure'): Promise<number[]> => {
  const pictures = await scoreDrawn(network, { preprocessing, views: oneView, seed, part, each: 2 })
  return pictures.map(({ plain }) => plain.logits[0]!)
}

it('scores pictures of every kind, others for another seed and for another part', async () => {
  const first = await brightness(1)
  expect(first).toHaveLength(2 * drawnScenes.length)
  expect([...new Set(first.map((_, place) => drawnKind(place)))]).toEqual([...drawnScenes])
  expect(await brightness(1)).toEqual(first)
  expect(new Set([...first, ...(await brightness(2)), ...(await brightness(1, 'fit'))]).size).toBe(
    6 * drawnScenes.length,
  )
})
