import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { startTensorflow } from '@flowers/tensorflow'
import { applyAugmentations, packAugmentations } from './apply-augment.ts'
import { colorMatrix } from './augment.ts'
import { unmixed } from './mix.ts'

beforeAll(async () => {
  await startTensorflow()
})

const plain = { geometry: [1, 0, 0, 0, 1, 0, 0, 0], color: colorMatrix(1, 1, 1, 0), erased: [0, 0, 0, 0] } as const
const normalization = { mean: [0.5, 0.25, 0], std: [0.5, 1, 2] } as const
const everything = { geometry: true, erasing: true, mixing: true }
/** Two photos of 4 x 4: the value is 10 times the column, plus 1 in the second photo. */
const photos = () =>
  tf.tensor4d(
    Array.from({ length: 2 * 4 * 4 * 3 }, (_, i) => 10 * (Math.floor(i / 3) % 4) + Math.floor(i / 48)),
    [2, 4, 4, 3],
  )

const run = (
  augmentations: Parameters<typeof packAugmentations>[0],
  mixes: Parameters<typeof packAugmentations>[1],
) => {
  const { images, lam } = applyAugmentations(
    photos(),
    tf.tensor2d(packAugmentations(augmentations, mixes, normalization), [2, 31]),
    everything,
  )
  return { pixels: images.arraySync(), lam: lam.arraySync() }
}

it('normalises and does nothing else to a plain batch', () => {
  const { pixels, lam } = run([plain, plain], [unmixed, unmixed])
  expect(pixels[1]![0]![3]![0]).toBeCloseTo((31 / 255 - 0.5) / 0.5, 5)
  expect(pixels[1]![2]![3]![1]).toBeCloseTo(31 / 255 - 0.25, 5)
  expect(pixels[0]![2]![1]![2]).toBeCloseTo(10 / 255 / 2, 5)
  expect(lam).toEqual([[1], [1]])
})

it('flips one photo and leaves the other', () => {
  const { pixels } = run([{ ...plain, geometry: [-1, 0, 3, 0, 1, 0, 0, 0] }, plain], [unmixed, unmixed])
  expect(pixels[0]![1]![0]![2]).toBeCloseTo(30 / 255 / 2, 5)
  expect(pixels[1]![1]![0]![2]).toBeCloseTo(1 / 255 / 2, 5)
})

it('sets an erased box to the mean colour', () => {
  const { pixels } = run([{ ...plain, erased: [1, 0, 3, 2] }, plain], [unmixed, unmixed])
  expect(pixels[0]![1]![1]).toEqual([0, 0, 0])
  expect(pixels[0]![0]![1]![2]).toBeCloseTo(10 / 255 / 2, 5)
  expect(pixels[0]![1]![2]![2]).toBeCloseTo(20 / 255 / 2, 5)
})

it('mixes with the mirrored batch, everywhere or inside a box', () => {
  const mixup = { outside: 0.75, inside: 0.75, box: [0, 0, 0, 0], lam: 0.75 } as const
  const cutmix = { outside: 1, inside: 0, box: [0, 2, 4, 4], lam: 0.5 } as const
  const { pixels, lam } = run(
    [mixup, plain].map(() => plain),
    [mixup, cutmix],
  )
  expect(pixels[0]![0]![0]![2]).toBeCloseTo(0.25 / 255 / 2, 6)
  expect(pixels[1]![0]![1]![2]).toBeCloseTo(11 / 255 / 2, 6)
  expect(pixels[1]![0]![2]![2]).toBeCloseTo(20 / 255 / 2, 6)
  expect(lam).toEqual([[0.75], [0.5]])
})
