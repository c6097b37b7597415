import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeImage } from '@flowers/shared/image/decode'
import { centerOffset, centerCanvas, resizedSize } from '@flowers/shared/image/preprocess'
import { imagenetNormalization, type Preprocessing } from '@flowers/shared/image/preprocessing'
import type { RgbImage } from '@flowers/shared/image/resample'
import sharp from 'sharp'
import { expect, it } from 'vitest'

/** Largest difference of a pixel (0 to 255) that passes, over all photos. */
const tolerance = 0

interface Shape {
  shortest: number
  size: number
  kernel: Preprocessing['kernel']
}

/** The resolutions of the phases of the recipe `report`, reduced and enlarged, and the small ones. */
const shapes: Shape[] = (['bilinear', 'bicubic', 'lanczos3'] as const).flatMap((kernel) =>
  [
    [73, 64],
    [256, 224],
    [288, 288],
    [640, 576],
  ].map(([shortest, size]) => ({ shortest: shortest!, size: size!, kernel })),
)

const root = fileURLToPath(new URL('..', import.meta.url))
const photosFolder = resolve(root, process.env['FLOWERS_DATA'] ?? '../shared/data', 'flowers17/valid')
const python = process.env['FLOWERS_PARITY_PYTHON']
const missing = python
  ? existsSync(photosFolder)
    ? ''
    : `${photosFolder} is missing`
  : 'FLOWERS_PARITY_PYTHON is not set'

it.skipIf(missing)(
  `photos become the pixels of Pillow and torchvision${missing && `: ${missing}`}`,
  { timeout: 900_000 },
  async () => {
    const photos = await photosOf(photosFolder)
    const read = reference(python!, photos)
    const rows = new Map<string, Difference>()
    const note = (row: string, actual: Uint8Array, expected: Uint8Array): void => {
      if (!rows.has(row)) rows.set(row, new Difference())
      rows.get(row)!.add(actual, expected)
    }
    for (const photo of photos) {
      const image = await decodeImage(await readFile(photo))
      for (const shape of shapes) {
        const expected = await read(shape.size ** 2 * 3)
        const name = `${shape.shortest} -> ${shape.size} ${shape.kernel}`
        const preprocessing = { ...shape, cropFraction: shape.size / shape.shortest, ...imagenetNormalization }
        note(`ours      ${name}`, centerCanvas(image, preprocessing, 1).pixels, expected)
        note(`libvips   ${name}`, await resizedByLibvips(image, shape), expected)
      }
    }
    for (const [row, difference] of [...rows].sort(([a], [b]) => (a < b ? 1 : -1)))
      console.log(row.padEnd(36), String(difference))
    const largest = [...rows].filter(([row]) => row.startsWith('ours')).map(([, difference]) => difference.largest)
    expect(Math.max(...largest)).toBeLessThanOrEqual(tolerance)
    console.log(`${photos.length} photos of ${photosFolder}`)
  },
)

class Difference {
  largest = 0
  #sum = 0
  #signed = 0
  #count = 0

  add(actual: Uint8Array, expected: Uint8Array): void {
    if (actual.length !== expected.length) throw new Error(`${actual.length} bytes instead of ${expected.length}`)
    for (let index = 0; index < actual.length; index++) {
      const difference = actual[index]! - expected[index]!
      this.#sum += Math.abs(difference)
      this.#signed += difference
      if (Math.abs(difference) > this.largest) this.largest = Math.abs(difference)
    }
    this.#count += actual.length
  }

  toString(): string {
    const mean = (sum: number): string => (sum / this.#count).toFixed(3)
    return `mean ${mean(this.#sum)}, bias ${mean(this.#signed)}, max ${this.largest}`
  }
}

/** The same geometry by sharp's own resize, for comparison. */
async function resizedByLibvips(
  { pixels, width, height }: RgbImage,
  { shortest, size, kernel }: Shape,
): Promise<Uint8Array> {
  const target = resizedSize(width, height, shortest)
  const crop = {
    left: centerOffset(target.width, size),
    top: centerOffset(target.height, size),
    width: size,
    height: size,
  }
  const kernels = { bilinear: 'linear', bicubic: 'cubic', lanczos3: 'lanczos3' } as const
  const resized = sharp(pixels, { raw: { width, height, channels: 3 } })
  return resized
    .resize({ ...target, fit: 'fill', kernel: kernels[kernel] })
    .extract(crop)
    .raw()
    .toBuffer()
}

async function photosOf(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true })
  return files
    .filter((file) => /\.jpe?g$/i.test(file))
    .sort()
    .map((file) => resolve(folder, file))
}

/** Starts the reference; each call gives its next `length` bytes. */
function reference(executable: string, photos: string[]): (length: number) => Promise<Uint8Array> {
  const script = fileURLToPath(new URL('fixtures/preprocessing_parity.py', import.meta.url))
  const child = spawn(executable, [script, 'photos', JSON.stringify(shapes)], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(photos.join('\n'))
  const chunks = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let rest: Buffer = Buffer.alloc(0)
  return async (length) => {
    const parts = [rest]
    for (let have = rest.length; have < length;) {
      const next = await chunks.next()
      if (next.done) throw new Error('The reference ended early.')
      parts.push(next.value)
      have += next.value.length
    }
    const joined = Buffer.concat(parts)
    rest = joined.subarray(length)
    return joined.subarray(0, length)
  }
}
