import { describe, expect, it } from 'vitest'
import { mean } from '../measure/mean.ts'
import { cropWindow, wholePixels, type CropOptions, type Window } from './crop.ts'
import { Random } from '@flowers/shared/random'

const draw = (crop: CropOptions, width: number, height: number, size: number, total: number): Window[] =>
  Array.from({ length: total }, (_, position) =>
    cropWindow(crop, width, height, size, new Random(1, 'crop', 0, position)),
  )

const inside = ({ left, top, width, height }: Window, w: number, h: number) =>
  left >= 0 && top >= 0 && width > 0 && height > 0 && left + width <= w + 1e-9 && top + height <= h + 1e-9

describe('randomResizedCrop', () => {
  const crop: CropOptions = { kind: 'randomResizedCrop', scale: [0.2, 0.8], ratio: [3 / 4, 4 / 3] }

  it('draws whole windows inside the photo, areas and ratios as asked', () => {
    const windows = draw(crop, 300, 200, 64, 4000)
    const shares = windows.map(({ width, height }) => (width * height) / 60_000)
    const ratios = windows.map(({ width, height }) => width / height)
    for (const window of windows) {
      expect(inside(window, 300, 200)).toBe(true)
      expect(Object.values(window).every(Number.isInteger)).toBe(true)
    }
    expect(Math.min(...shares)).toBeGreaterThan(0.19)
    expect(Math.max(...shares)).toBeLessThan(0.81)
    expect(Math.min(...ratios)).toBeGreaterThan(0.73)
    expect(Math.max(...ratios)).toBeLessThan(1.37)
    expect(Math.min(...ratios)).toBeLessThan(0.78)
    expect(Math.max(...ratios)).toBeGreaterThan(1.28)
    // Small enough to fit in every ratio: even in area, and in the logarithm of the ratio.
    const small = draw({ ...crop, scale: [0.1, 0.3] }, 300, 200, 64, 4000)
    expect(mean(small.map(({ width, height }) => (width * height) / 60_000))).toBeCloseTo(0.2, 2)
    expect(mean(small.map(({ width, height }) => Math.log(width / height)))).toBeCloseTo(0, 1)
    expect(mean(small.map(({ left, width }) => left / (300 - width)))).toBeCloseTo(0.5, 1)
    expect(mean(small.map(({ top, height }) => top / (200 - height)))).toBeCloseTo(0.5, 1)
  })

  it('falls back to the largest centre window of an allowed ratio', () => {
    const whole: CropOptions = { kind: 'randomResizedCrop', scale: [1, 1], ratio: [0.75, 4 / 3] }
    expect(draw(whole, 400, 100, 64, 1)).toEqual([{ left: 133, top: 0, width: 133, height: 100 }])
    expect(draw(whole, 100, 400, 64, 1)).toEqual([{ left: 0, top: 133, width: 100, height: 133 }])
    // Python rounds a half to the even number: 2.5 to 2.
    expect(draw({ ...whole, ratio: [2, 2] }, 5, 9, 64, 1)).toEqual([{ left: 0, top: 3, width: 5, height: 2 }])
    expect(draw({ ...whole, ratio: [0.1, 0.2] }, 30, 20, 64, 1)).toEqual([{ left: 13, top: 0, width: 4, height: 20 }])
  })
})

describe('resizeRandomCrop', () => {
  it('cuts the square that a crop of the enlarged photo would show, anywhere', () => {
    const windows = draw({ kind: 'resizeRandomCrop', enlarge: 1.25 }, 300, 200, 64, 2000)
    for (const window of windows) {
      expect(inside(window, 300, 200)).toBe(true)
      expect([window.width, window.height]).toEqual([160, 160])
    }
    const lefts = windows.map(({ left }) => left)
    expect([Math.min(...lefts) < 2, Math.max(...lefts) > 138]).toEqual([true, true])
  })
})

describe('center', () => {
  it('cuts the centre square of evaluation', () => {
    expect(draw({ kind: 'center', cropFraction: 0.875 }, 300, 200, 56, 1)).toEqual([
      { left: 62.5, top: 12.5, width: 175, height: 175 },
    ])
    expect(draw({ kind: 'center', cropFraction: 1 }, 40, 40, 40, 1)).toEqual([
      { left: 0, top: 0, width: 40, height: 40 },
    ])
  })
})

describe('wholePixels', () => {
  it('rounds and stays inside', () => {
    expect(wholePixels({ left: 1.6, top: 0.4, width: 7.5, height: 3.2 }, 9, 9)).toEqual({
      left: 1,
      top: 0,
      width: 8,
      height: 3,
    })
    expect(wholePixels({ left: 4.9, top: 0, width: 0.2, height: 20 }, 5, 9)).toEqual({
      left: 4,
      top: 0,
      width: 1,
      height: 9,
    })
  })
})
