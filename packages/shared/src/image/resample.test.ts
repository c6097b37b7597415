import { describe, expect, it } from 'vitest'
import { resample, type Kernel, type RgbImage } from './resample.ts'

const kernels: Kernel[] = ['bilinear', 'bicubic', 'lanczos3']

function drawn(width: number, height: number, colour: (x: number, y: number) => number[]): RgbImage {
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels.set(colour(x, y), (y * width + x) * 3)
  return { pixels, width, height }
}

const scene = drawn(37, 23, (x, y) => [(x * 7 + y * 3) & 255, (x * y * 5) & 255, (x ^ y) & 1 ? 255 : 0])

describe('resample', () => {
  it('is the average of two pixels when halving with a triangle over a step', () => {
    const step = drawn(4, 1, (x) => (x < 2 ? [0, 10, 200] : [100, 30, 0]))
    // Triangle of support 2 at centre 1: weights 1/8... over pixels 0 to 2, normalised at the edge.
    const [red, green, blue] = resample(step, { width: 2, height: 1, kernel: 'bilinear' })
    const weights = [0.75, 0.75, 0.25].map((weight) => weight / 1.75)
    const mix = (left: number, right: number): number =>
      Math.round(left * (weights[0]! + weights[1]!) + right * weights[2]!)
    expect([red, green, blue]).toEqual([mix(0, 100), mix(10, 30), mix(200, 0)])
  })

  it('enlarges about pixel centres', () => {
    const pair = drawn(2, 1, (x) => [x * 100, 0, 0])
    const wide = resample(pair, { width: 4, height: 1, kernel: 'bilinear' })
    expect([0, 3, 6, 9].map((index) => wide[index])).toEqual([0, 25, 75, 100])
  })

  it.each(kernels)('leaves a plain colour as it is (%s)', (kernel) => {
    const plain = drawn(31, 17, () => [255, 0, 77])
    const result = resample(plain, { width: 9, height: 40, kernel })
    expect(
      new Set(Array.from({ length: 360 }, (_, index) => result.subarray(index * 3, index * 3 + 3).join())),
    ).toEqual(new Set(['255,0,77']))
  })

  it.each(kernels)('leaves the picture as it is at its own size (%s)', (kernel) => {
    expect(resample(scene, { width: 37, height: 23, kernel })).toEqual(scene.pixels)
  })

  it.each(kernels)('a crop of the result is that part of the whole result (%s)', (kernel) => {
    const whole = { pixels: resample(scene, { width: 20, height: 50, kernel }), width: 20, height: 50 }
    const crop = { left: 3, top: 11, width: 9, height: 17 }
    const part = resample(scene, { width: 20, height: 50, kernel, crop })
    expect(part).toEqual(resample(whole, { width: 9, height: 17, kernel, region: crop }))
  })

  it.each(kernels)('a region is resized as if it had been cut out first (%s)', (kernel) => {
    const region = { left: 5, top: 2, width: 20, height: 13 }
    const cut = { pixels: resample(scene, { width: 20, height: 13, kernel, region }), width: 20, height: 13 }
    expect(resample(scene, { width: 7, height: 30, kernel, region })).toEqual(
      resample(cut, { width: 7, height: 30, kernel }),
    )
  })

  it('takes fractions of pixels: half a pixel to the right is the mean of neighbours', () => {
    const pair = drawn(4, 1, (x) => [x * 40, 0, 0])
    const shifted = resample(pair, {
      width: 3,
      height: 1,
      kernel: 'bilinear',
      region: { left: 0.5, top: 0, width: 3, height: 1 },
    })
    expect([shifted[0], shifted[3], shifted[6]]).toEqual([20, 60, 100])
  })

  it('clips what a cubic overshoots', () => {
    const edge = drawn(8, 8, (x) => (x < 4 ? [0, 0, 0] : [255, 255, 255]))
    const larger = resample(edge, { width: 32, height: 32, kernel: 'bicubic' })
    expect(Math.min(...larger)).toBe(0)
    expect(Math.max(...larger)).toBe(255)
  })

  it('computes only the middle of a picture that becomes enormous', () => {
    const thread = drawn(1, 60_000, (_x, y) => [y & 255, y >> 8, 0])
    const crop = { left: 0, top: 19_199_700, width: 600, height: 600 }
    const result = resample(thread, { width: 640, height: 38_400_000, kernel: 'bicubic', crop })
    expect([...result.subarray(0, 2)]).toEqual([29_999 & 255, 29_999 >> 8].map((value) => expect.closeTo(value, -1)))
  })

  it('refuses rectangles outside their picture', () => {
    const to = { width: 4, height: 4, kernel: 'bilinear' } as const
    expect(() => resample(scene, { ...to, region: { left: 30, top: 0, width: 8, height: 8 } })).toThrow(RangeError)
    expect(() => resample(scene, { ...to, crop: { left: 0, top: 0, width: 5, height: 4 } })).toThrow(RangeError)
    expect(() => resample(scene, { ...to, crop: { left: 0, top: 0, width: 0, height: 4 } })).toThrow(RangeError)
    expect(() => resample(scene, { ...to, width: 4.5 })).toThrow(RangeError)
    expect(() => resample({ ...scene, width: 38 }, to)).toThrow(RangeError)
  })
})
