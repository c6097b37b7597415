import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { toTensor } from './canvas.ts'
import { centerCanvas, centerOffset, decodeCenter, decodeViews, resizedSize, shortestEdge } from './preprocess.ts'
import { imagenetNormalization, type Preprocessing } from './preprocessing.ts'

const preprocessing: Preprocessing = { size: 24, cropFraction: 0.875, kernel: 'bicubic', ...imagenetNormalization }

const photo = await sharp({
  create: {
    width: 90,
    height: 60,
    channels: 3,
    background: '#654321',
    noise: { type: 'gaussian', mean: 120, sigma: 60 },
  },
})
  .png()
  .toBuffer()

describe('the geometry', () => {
  it('resizes the shortest edge and keeps the ratio, cut to whole pixels', () => {
    expect(shortestEdge({ size: 224, cropFraction: 0.875 }, 1)).toBe(256)
    expect(shortestEdge({ size: 64, cropFraction: 1 }, 1.15)).toBe(74)
    expect(resizedSize(500, 333, 256)).toEqual({ width: 384, height: 256 })
    expect(resizedSize(333, 500, 256)).toEqual({ width: 256, height: 384 })
    expect(resizedSize(64, 64, 73)).toEqual({ width: 73, height: 73 })
  })

  it('rounds the corner of the centre to even', () => {
    expect([centerOffset(10, 4), centerOffset(11, 4), centerOffset(13, 4), centerOffset(4, 4)]).toEqual([3, 4, 4, 0])
  })
})

describe('decodeViews', () => {
  it('gives a canvas of the input size for each scale, in order', async () => {
    const canvases = await decodeViews(photo, preprocessing, [1, 1.15, 2])
    expect(canvases.map(({ size, pixels }) => [size, pixels.length])).toEqual([1, 2, 3].map(() => [24, 24 * 24 * 3]))
    expect(await decodeCenter(photo, preprocessing)).toEqual(canvases[0])
    expect(canvases[1]).not.toEqual(canvases[0])
  })

  it('shows less of the picture at a larger scale', () => {
    const width = 100
    const pixels = Uint8Array.from({ length: width * width * 3 }, (_, index) => Math.floor(index / 3) % width)
    const spread = (scale: number): number => {
      const canvas = centerCanvas({ pixels, width, height: width }, { ...preprocessing, cropFraction: 1 }, scale)
      return canvas.pixels[23 * 3]! - canvas.pixels[0]!
    }
    expect(spread(2)).toBeCloseTo(spread(1) / 2, -1)
  })

  it('reads one pixel', async () => {
    const pixel = await sharp(Uint8Array.of(9, 80, 200), { raw: { width: 1, height: 1, channels: 3 } })
      .png()
      .toBuffer()
    const { pixels } = await decodeCenter(pixel, preprocessing)
    expect(
      new Set(Array.from({ length: 576 }, (_, index) => pixels.subarray(index * 3, index * 3 + 3).join())),
    ).toEqual(new Set(['9,80,200']))
  })
})

describe('toTensor', () => {
  const size = 3
  const canvas = { size, pixels: Uint8Array.from({ length: 27 }, (_, index) => index * 9) }
  const tensor = (flip: 'none' | 'horizontal' | 'vertical', offset = 0): Float32Array => {
    const out = new Float32Array(27 + offset)
    toTensor(canvas, flip, preprocessing, out, offset)
    return out
  }
  const at = (values: Float32Array, channel: number, y: number, x: number): number => values[channel * 9 + y * 3 + x]!

  it('normalises, channel after channel', () => {
    const values = tensor('none')
    for (const channel of [0, 1, 2] as const) {
      const expected =
        (canvas.pixels[(1 * 3 + 2) * 3 + channel]! / 255 - preprocessing.mean[channel]) / preprocessing.std[channel]
      expect(at(values, channel, 1, 2)).toBeCloseTo(expected, 6)
    }
  })

  it('flips by index', () => {
    const plain = tensor('none')
    const horizontal = tensor('horizontal')
    const vertical = tensor('vertical')
    for (const channel of [0, 1, 2]) {
      for (const y of [0, 1, 2]) {
        for (const x of [0, 1, 2]) {
          expect(at(horizontal, channel, y, x)).toBe(at(plain, channel, y, 2 - x))
          expect(at(vertical, channel, y, x)).toBe(at(plain, channel, 2 - y, x))
        }
      }
    }
  })

  it('writes at an offset and nothing before it', () => {
    const values = tensor('none', 5)
    expect([...values.subarray(0, 5)]).toEqual([0, 0, 0, 0, 0])
    expect(values.subarray(5)).toEqual(tensor('none'))
  })

  it('refuses a buffer that is too small', () => {
    expect(() => toTensor(canvas, 'none', preprocessing, new Float32Array(26))).toThrow(RangeError)
  })
})
