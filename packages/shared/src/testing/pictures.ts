import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import type { Sharp } from 'sharp'
import type { RgbImage } from '../image/resample.ts'

/** JPEG that is close to its pixels. */
export const best = { quality: 100, chromaSubsampling: '4:4:4' } as const

/** A picture by a formula for the colour of each pixel. */
export function drawn(width: number, height: number, colour: (x: number, y: number) => number[]): RgbImage {
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels.set(colour(x, y), (y * width + x) * 3)
  return { pixels, width, height }
}

/** To encode a picture from its pixels. */
export function encoder(image: RgbImage): Sharp {
  return sharp(image.pixels, { raw: { width: image.width, height: image.height, channels: 3 } })
}

/** How a camera stores an upright picture so that the EXIF orientation brings it back (EXIF 2.3, tag 0x0112). */
export function storedFor(orientation: number, upright: RgbImage): RgbImage {
  const swapped = orientation >= 5
  const [storedWidth, storedHeight] = swapped ? [upright.height, upright.width] : [upright.width, upright.height]
  const right = upright.width - 1
  const bottom = upright.height - 1
  const uprightPlace: Record<number, (x: number, y: number) => [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y) => [right - x, y],
    3: (x, y) => [right - x, bottom - y],
    4: (x, y) => [x, bottom - y],
    5: (x, y) => [y, x],
    6: (x, y) => [right - y, x],
    7: (x, y) => [right - y, bottom - x],
    8: (x, y) => [y, bottom - x],
  }
  return drawn(storedWidth, storedHeight, (x, y) => {
    const [fromX, fromY] = uprightPlace[orientation]!(x, y)
    const offset = (fromY * upright.width + fromX) * 3
    return [...upright.pixels.subarray(offset, offset + 3)]
  })
}

/** Offset and length of the first JPEG segment with this marker, its marker included. */
function segment(jpeg: Uint8Array, marker: number): { start: number; end: number } {
  for (let offset = 2; jpeg[offset] === 0xff;) {
    const end = offset + 2 + ((jpeg[offset + 2]! << 8) | jpeg[offset + 3]!)
    if (jpeg[offset + 1] === marker) return { start: offset, end }
    offset = end
  }
  throw new Error(`no segment ${marker.toString(16)}`)
}

/** A JPEG without its first segment of this marker. */
export function withoutSegment(jpeg: Uint8Array, marker: number): Uint8Array {
  const { start, end } = segment(jpeg, marker)
  return Buffer.concat([jpeg.subarray(0, start), jpeg.subarray(end)])
}

/** A JPEG with bytes between two segments that belong to none. */
export function insertStrayBytes(jpeg: Uint8Array): Uint8Array {
  const { start } = segment(jpeg, 0xc0)
  return Buffer.concat([jpeg.subarray(0, start), Uint8Array.of(1, 2, 3), jpeg.subarray(start)])
}

/** A PNG whose header names a size and whose data ends after one row's start. */
export function pngOfSize(width: number, height: number): Uint8Array {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const chunk = (name: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
    const sizes = Buffer.alloc(8)
    sizes.writeUInt32BE(data.length, 0)
    sizes.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([sizes.subarray(0, 4), body, sizes.subarray(4)])
  }
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(64))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
