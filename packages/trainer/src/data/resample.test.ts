import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { resampleWindow, type Kernel } from './resample.ts'
import { testPhoto } from './test-photos.ts'

async function rawPhoto(seed: number, width: number, height: number) {
  const pixels = await sharp(await testPhoto(seed, width, height))
    .raw()
    .toBuffer()
  return { pixels: new Uint8Array(pixels), width, height }
}

function resampled(
  source: Awaited<ReturnType<typeof rawPhoto>>,
  window: Parameters<typeof resampleWindow>[1],
  size: number,
  kernel: Kernel,
) {
  const out = new Uint8Array(size * size * 3)
  resampleWindow(source, window, size, kernel, out, 0)
  return out
}

function difference(a: Uint8Array, b: Uint8Array): { mean: number; max: number } {
  let sum = 0
  let max = 0
  a.forEach((value, index) => {
    const distance = Math.abs(value - b[index]!)
    sum += distance
    max = Math.max(max, distance)
  })
  return { mean: sum / a.length, max }
}

type Box = readonly [left: number, top: number, width: number, height: number]

const sharpKernels = { bilinear: 'linear', bicubic: 'cubic', lanczos3: 'lanczos3' } as const

describe('resampleWindow', () => {
  const sharpResampled = (
    source: Awaited<ReturnType<typeof rawPhoto>>,
    [left, top, width, height]: Box,
    size: number,
    kernel: Kernel,
  ) =>
    sharp(source.pixels, { raw: { width: source.width, height: source.height, channels: 3 } })
      .extract({ left, top, width, height })
      .resize(size, size, { fit: 'fill', kernel: sharpKernels[kernel] })
      .raw()
      .toBuffer()

  it.each<Kernel>(['bilinear', 'bicubic', 'lanczos3'])('shrinks as sharp does: %s', async (kernel) => {
    const source = await rawPhoto(1, 80, 72)
    const [left, top, width, height]: Box = [2, 1, 60, 70]
    const theirs = await sharpResampled(source, [left, top, width, height], 24, kernel)
    const { mean, max } = difference(resampled(source, { left, top, width, height }, 24, kernel), theirs)
    expect(mean).toBeLessThan(1)
    expect(max).toBeLessThanOrEqual(4)
    // The test can fail: a window one pixel aside is far off.
    const aside = { left: left + 1, top: top + 1, width: width - 1, height: height - 1 }
    expect(difference(resampled(source, aside, 24, kernel), theirs).mean).toBeGreaterThan(mean * 2)
  })

  // Lanczos enlarges as bicubic in libvips.
  it.each<Kernel>(['bilinear', 'bicubic'])('enlarges as sharp does: %s', async (kernel) => {
    const source = await rawPhoto(1, 80, 72)
    const [left, top, width, height]: Box = [5, 3, 40, 50]
    const size = 64
    const theirs = await sharpResampled(source, [left, top, width, height], size, kernel)
    // Enlarging, sharp places the grid half a target pixel further up and left than Pillow, torchvision and this.
    const shifted = { left: left - (0.5 * width) / size, top: top - (0.5 * height) / size, width, height }
    const inner = (pixels: Uint8Array) =>
      pixels.filter((_, index) => {
        const [x, y] = [Math.floor(index / 3) % size, Math.floor(index / 3 / size)]
        return Math.min(x, y, size - 1 - x, size - 1 - y) >= 4
      })
    const { mean, max } = difference(inner(resampled(source, shifted, size, kernel)), inner(theirs))
    expect(mean).toBeLessThan(1)
    expect(max).toBeLessThanOrEqual(4)
    expect(
      difference(inner(resampled(source, { left, top, width, height }, size, kernel)), inner(theirs)).mean,
    ).toBeGreaterThan(mean * 2)
  })

  it('copies where nothing is to be done', async () => {
    const source = await rawPhoto(2, 32, 32)
    for (const kernel of ['bilinear', 'bicubic', 'lanczos3'] as const) {
      expect(resampled(source, { left: 0, top: 0, width: 32, height: 32 }, 32, kernel)).toEqual(source.pixels)
    }
  })

  it('moves by fractions of a pixel', () => {
    // A ramp of 4 a pixel: half a pixel to the right is 2 more.
    const pixels = Uint8Array.from({ length: 32 * 32 * 3 }, (_, index) => 4 * (Math.floor(index / 3) % 32))
    const source = { pixels, width: 32, height: 32 }
    const out = resampled(source, { left: 4.5, top: 8, width: 16, height: 16 }, 16, 'bilinear')
    expect([out[3 * 5], out[3 * 6]]).toEqual([4 * 9.5, 4 * 10.5])
  })

  it('keeps a plain colour and clamps overshoot', () => {
    const plain = { pixels: new Uint8Array(9 * 7 * 3).fill(201), width: 9, height: 7 }
    for (const kernel of ['bilinear', 'bicubic', 'lanczos3'] as const) {
      for (const size of [1, 5, 16])
        expect(new Set(resampled(plain, { left: 0.3, top: 0.2, width: 8.1, height: 6.4 }, size, kernel))).toEqual(
          new Set([201]),
        )
    }
    const edge = Uint8Array.from({ length: 8 * 8 * 3 }, (_, index) => (Math.floor(index / 3) % 8 < 4 ? 0 : 255))
    const out = resampled(
      { pixels: edge, width: 8, height: 8 },
      { left: 0, top: 0, width: 8, height: 8 },
      32,
      'bicubic',
    )
    expect([Math.min(...out), Math.max(...out)]).toEqual([0, 255])
    const row = Array.from({ length: 12 }, (_, x) => out[x * 3]!)
    expect(Math.max(...row)).toBeLessThan(30)
  })
})
