import { describe, expect, it } from 'vitest'
import type { AugmentOptions } from '../recipe/schema.ts'
import { standardAugment, strongAugment } from '../recipe/defaults.ts'
import { recipeDefaults } from '../testing/test-recipe.ts'
import {
  atStrength,
  colorMatrix,
  drawAugmentation,
  drawErased,
  drawGeometry,
  hueMatrix,
  movesPixels,
} from './augment.ts'
import { Random } from '@flowers/shared/random'

const still = { ...standardAugment, horizontalFlip: 0, rotation: 0 }
const apply = (matrix: readonly number[], rgb: readonly [number, number, number]): number[] =>
  [0, 1, 2].map((row) =>
    rgb.reduce((sum, value, column) => sum + value * matrix[row * 4 + column]!, matrix[row * 4 + 3]!),
  )

/** Gives what is named, in the order in which a geometry draws, and the middle of the range for all else. */
function scripted(named: { angle?: number; shear?: number; scale?: number; x?: number; y?: number }): Random {
  const { angle = 0.5, shear = 0.5, scale = 0.5, x = 0.5, y = 0.5 } = named
  const draws = [0, 0, angle, shear, scale, x, y]
  return Object.assign(new Random(1, 'augment'), { uniform: () => draws.shift()! })
}

describe('geometry', () => {
  it('is the identity when nothing is asked for', () => {
    expect(drawGeometry(still, 32, new Random(1, 'augment'))).toEqual([1, 0, 0, 0, 1, 0, 0, 0])
  })

  it.each([
    { horizontalFlip: 0.5 },
    { verticalFlip: 0.5 },
    { rotation: 5 },
    { affine: { ...still.affine, translate: 0.1 } },
    { affine: { ...still.affine, shear: 5 } },
    { affine: { ...still.affine, scale: [0.9, 1] } },
    { color: { ...still.color, hue: 0.1 } },
    {},
  ] as Partial<AugmentOptions>[])('moves pixels with %j only where it can draw more than the identity', (changed) => {
    const options = { ...still, ...changed }
    const drawn = Array.from({ length: 20 }, (_, seed) => drawGeometry(options, 32, new Random(seed, 'augment')).join())
    expect(movesPixels(options)).toBe(drawn.some((each) => each !== '1,0,0,0,1,0,0,0'))
  })

  it('flips about the middle of the pixels', () => {
    const [a0, , a2] = drawGeometry({ ...still, horizontalFlip: 1 }, 32, new Random(1, 'augment'))
    expect(a2).toBe(31)
    expect(a0! * 31 + a2!).toBe(0)
  })

  it('keeps the centre in place and lengths unchanged under rotation', () => {
    for (let seed = 0; seed < 20; seed++) {
      const [a0, a1, a2, b0, b1, b2] = drawGeometry({ ...still, rotation: 45 }, 33, new Random(seed, 'augment'))
      expect(a0! * 16 + a1! * 16 + a2!).toBeCloseTo(16, 9)
      expect(b0! * 16 + b1! * 16 + b2!).toBeCloseTo(16, 9)
      expect(a0! ** 2 + b0! ** 2).toBeCloseTo(1, 12)
      expect(Math.abs(Math.asin(a1!))).toBeLessThanOrEqual(Math.PI / 4 + 1e-9)
    }
  })

  // Where the pixel of column 10 and row 20 of a square of 33, whose centre is 16, 16, is taken from.
  it.each([
    ['a shift by an eighth, left and down', { affine: { translate: 0.25 } }, { x: 0.75, y: 0.25 }, 14.125, 15.875],
    ['a shear by minus 45 degrees', { affine: { shear: 45 } }, { shear: 0 }, 6, 20],
    ['a picture of half the size', { affine: { scale: [0.5, 2] } }, { scale: 0 }, 4, 24],
    [
      'a picture enlarged by the square root of two',
      { affine: { scale: [0.5, 2] } },
      { scale: 0.75 },
      16 - 6 / Math.SQRT2,
      16 + 4 / Math.SQRT2,
    ],
    ['a rotation by 90 degrees', { rotation: 90, affine: {} }, { angle: 1 }, 12, 10],
    ['a mirror image of what is sheared', { horizontalFlip: 1, affine: { shear: 45 } }, { shear: 0 }, 26, 20],
  ] as const)('has %s where a hand puts it', (_, { affine, ...options }, drawn, x, y) => {
    const [a0, a1, a2, b0, b1, b2] = drawGeometry(
      { ...still, ...options, affine: { ...still.affine, ...affine } as AugmentOptions['affine'] },
      33,
      scripted(drawn),
    )
    expect(a0! * 10 + a1! * 20 + a2!).toBeCloseTo(x, 9)
    expect(b0! * 10 + b1! * 20 + b2!).toBeCloseTo(y, 9)
  })
})

describe('colour', () => {
  it('does nothing at the neutral values', () => {
    apply(colorMatrix(1, 1, 1, 0), [0.2, 0.5, 0.9]).forEach((value, index) =>
      expect(value).toBeCloseTo([0.2, 0.5, 0.9][index]!, 12),
    )
  })

  it('makes grey of no saturation', () => {
    const grey = 0.299 * 0.2 + 0.587 * 0.5 + 0.114 * 0.9
    apply(colorMatrix(1, 1, 0, 0.3), [0.2, 0.5, 0.9]).forEach((value) => expect(value).toBeCloseTo(grey, 12))
  })

  it('pulls contrast towards middle grey and scales brightness first', () => {
    expect(apply(colorMatrix(1.2, 0.5, 1, 0), [0.5, 0.5, 0.5])[0]).toBeCloseTo(0.5 * (0.6 - 0.5) + 0.5, 12)
  })

  it('turns red to green by a third of the hue circle and keeps greys', () => {
    const turned = apply(colorMatrix(1, 1, 1, 1 / 3), [1, 0, 0])
    ;[0, 1, 0].forEach((value, index) => expect(turned[index]).toBeCloseTo(value, 12))
    hueMatrix(0.123).forEach((row) => expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12))
  })
})

describe('erasing', () => {
  it('covers about the share asked for, inside the picture', () => {
    let covered = 0
    for (let seed = 0; seed < 200; seed++) {
      const [y0, x0, y1, x1] = drawErased({ probability: 1, area: [0.1, 0.1] }, 64, new Random(seed, 'augment'))
      expect(Math.min(y0, x0)).toBeGreaterThanOrEqual(0)
      expect(Math.max(y1, x1)).toBeLessThanOrEqual(64)
      covered += ((y1 - y0) * (x1 - x0)) / 64 ** 2 / 200
    }
    expect(covered).toBeGreaterThan(0.09)
    expect(covered).toBeLessThan(0.11)
  })

  it('happens as often as asked for', () => {
    const boxes = Array.from({ length: 400 }, (_, seed) =>
      drawErased({ probability: 0.25, area: [0.1, 0.2] }, 64, new Random(seed, 'augment')),
    )
    const share = boxes.filter(([y0, , y1]) => y1 > y0).length / 400
    expect(share).toBeGreaterThan(0.18)
    expect(share).toBeLessThan(0.32)
  })
})

it('draws the same for the same address and something else for the next', () => {
  const options = recipeDefaults.phases.full.augment
  const draw = (epoch: number) => drawAugmentation(options, 64, new Random(3, 'augment', epoch, 5))
  expect(draw(1)).toEqual(draw(1))
  expect(draw(1)).not.toEqual(draw(2))
})

describe('atStrength', () => {
  it('is as written at one', () => {
    expect(atStrength(strongAugment, 1)).toEqual(strongAugment)
  })

  it('leaves flips and whole photos at zero', () => {
    const weakest = atStrength(strongAugment, 0)
    expect(weakest.crop).toEqual({ ...strongAugment.crop, scale: [1, 1] })
    const { geometry, color, erased } = drawAugmentation(
      { ...weakest, horizontalFlip: 0, verticalFlip: 0 },
      32,
      new Random(1, 'augment'),
    )
    ;[1, 0, 0, 0, 1, 0, 0, 0].forEach((value, index) => expect(geometry[index]).toBeCloseTo(value, 12))
    colorMatrix(1, 1, 1, 0).forEach((value, index) => expect(color[index]).toBeCloseTo(value, 12))
    expect(erased).toEqual([0, 0, 0, 0])
  })

  it.each([0, 0.1, 0.5, 1])('keeps the range of a random crop a range, towards the whole photo, at %s', (strength) => {
    const crop = { kind: 'randomResizedCrop', scale: [0.2, 0.6], ratio: [1, 1] } satisfies AugmentOptions['crop']
    const { scale } = atStrength({ ...strongAugment, crop }, strength).crop as typeof crop
    expect(scale[0]).toBeCloseTo(1 - 0.8 * strength, 12)
    expect(scale[1]).toBeCloseTo(1 - 0.4 * strength, 12)
  })

  it('leaves crops of one size as they are', () => {
    expect(atStrength(standardAugment, 0).crop).toEqual(standardAugment.crop)
  })

  it('halves amplitudes at a half', () => {
    const half = atStrength(strongAugment, 0.5)
    expect(half.rotation).toBe(12.5)
    expect(half.crop).toMatchObject({ scale: [0.675, 1] })
    expect(half.affine.scale[1]).toBeCloseTo(Math.sqrt(1.1), 12)
  })
})
