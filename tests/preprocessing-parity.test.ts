import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { decodeImage } from '@flowers/shared/image/decode'
import { toTensor } from '@flowers/shared/image/canvas'
import { centerCanvas } from '@flowers/shared/image/preprocess'
import { imagenetNormalization, type Preprocessing } from '@flowers/shared/image/preprocessing'
import type { RgbImage } from '@flowers/shared/image/resample'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'

/** Largest difference of a pixel (0 to 255) to Pillow + torchvision that passes. The arithmetic is the same. */
const tolerance = 0

interface Case {
  source: string
  shortest: number
  size: number
  kernel: Preprocessing['kernel']
  offset: number
}

interface Fixture {
  cases: Case[]
  normalized: Omit<Case, 'offset'> & { values: number[] }
}

const file = (name: string): Buffer => readFileSync(new URL(`fixtures/preprocessing-parity/${name}`, import.meta.url))
const fixture = JSON.parse(file('cases.json').toString()) as Fixture
const pixels = gunzipSync(file('pixels.bin.gz'))

describe('preprocessing gives the pixels of Pillow and torchvision', () => {
  it.each(fixture.cases)('$source to $shortest, $size of it, $kernel', async (entry) => {
    const image = entry.source.endsWith('.jpg')
      ? await decodeImage(file(entry.source))
      : await throughPng(drawn(entry.source))
    const canvas = centerCanvas(image, preprocessingOf(entry), 1)
    const expected = pixels.subarray(entry.offset, entry.offset + entry.size ** 2 * 3)
    expect(canvas.pixels).toHaveLength(expected.length)
    const furthest = expected.reduce((most, value, index) => Math.max(most, Math.abs(value - canvas.pixels[index]!)), 0)
    expect(furthest).toBeLessThanOrEqual(tolerance)
  })

  it('gives the tensor of ToTensor and Normalize, to the rounding of float32', () => {
    const { source, size, values } = fixture.normalized
    const preprocessing = preprocessingOf(fixture.normalized)
    const tensor = new Float32Array(3 * size * size)
    toTensor(centerCanvas(drawn(source), preprocessing, 1), 'none', preprocessing, tensor)
    expect(tensor).toHaveLength(values.length)
    for (const [index, value] of values.entries()) expect(Math.abs(tensor[index]! - value)).toBeLessThan(1e-6)
  })
})

function preprocessingOf({ size, shortest, kernel }: Omit<Case, 'offset'>): Preprocessing {
  return { size, cropFraction: size / shortest, kernel, ...imagenetNormalization }
}

/** Through a file, so that what is compared is the whole way of a picture. */
async function throughPng({ pixels, width, height }: RgbImage): Promise<RgbImage> {
  return decodeImage(
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toBuffer(),
  )
}

function noise(x: number, y: number): number {
  return (Math.imul(x, 73_856_093) ^ Math.imul(y, 19_349_663)) >>> 11
}

function soft(x: number, y: number): number {
  const distance = (x - 31) ** 2 + (y - 27) ** 2
  return distance < 500 ? 250 - Math.floor(distance / 9) : 90 + ((x * 3 + y) % 40)
}

type Drawing = readonly [width: number, height: number, colour: (x: number, y: number) => [number, number, number]]

/** The same drawings as in fixtures/preprocessing_parity.py. Values are taken modulo 256 and rounded down. */
function drawn(name: string): RgbImage {
  const drawings: Record<string, Drawing> = {
    'vertical-stripes': [301, 200, (x) => [255 * (x & 1), 255 - 255 * (x & 1), 255 * (x & 1)]],
    'horizontal-stripes': [180, 257, (_x, y) => [255 * (y & 1), 0, 255 * (y & 1)]],
    checkerboard: [224, 224, (x, y) => [255 * ((x ^ y) & 1), 255 * ((x ^ y) & 1), 40]],
    gradient: [257, 181, (x, y) => [(x * 255) / 256, (y * 255) / 180, ((x + y) * 255) / 436]],
    'zone-plate': [1000, 750, (x, y) => [(x * x + y * y) / 128, (x * x) / 64, (y * y) / 64]],
    noise: [400, 300, (x, y) => [noise(x, y), noise(x + 977, y), noise(x, y + 977)]],
    small: [64, 64, (x, y) => [soft(x, y), soft(y, x), soft(63 - x, y)]],
    tiny: [3, 2, (x, y) => [noise(x, y), noise(y, x), 127 * x]],
    pixel: [1, 1, () => [200, 100, 50]],
    wide: [1280, 9, (x, y) => [noise(x, 0), x, y * 28]],
    tall: [11, 1900, (x, y) => [y, noise(0, y), x * 23]],
  }
  const [width, height, colour] = drawings[name]!
  const result = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) result.set(colour(x, y), (y * width + x) * 3)
  return { pixels: result, width, height }
}
