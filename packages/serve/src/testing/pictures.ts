import sharp from 'sharp'
import { uniform } from './statistics.ts'

/** A picture of one colour. */
export async function solid(background: string, format: 'jpeg' | 'png' | 'webp' = 'jpeg', side = 48): Promise<Buffer> {
  return sharp({ create: { width: side, height: side, channels: 3, background } })
    .toFormat(format)
    .toBuffer()
}

/** A picture of four coloured quarters, different for each seed. */
export async function quarters(seed: number): Promise<Buffer> {
  let state = seed + 1
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) % 256
  const pixels = Buffer.from(Array.from({ length: 12 }, random))
  return sharp(pixels, { raw: { width: 2, height: 2, channels: 3 } })
    .resize(64, 64, { kernel: 'nearest' })
    .png()
    .toBuffer()
}

/** A multipart form with the pictures in the field `img`. */
export function form(...pictures: Uint8Array[]): FormData {
  const data = new FormData()
  for (const picture of pictures) data.append('img', new Blob([Uint8Array.from(picture)]), 'picture')
  return data
}

/** Noise of many sizes, which is as much work to decode as a photo; different for each seed. */
export async function photo(seed: number, side = 640, format: 'jpeg' | 'png' | 'webp' = 'jpeg'): Promise<Buffer> {
  const draw = uniform(seed)
  const coarse = 40
  const pixels = Buffer.from(Array.from({ length: coarse * coarse * 3 }, () => draw() * 256))
  return sharp(pixels, { raw: { width: coarse, height: coarse, channels: 3 } })
    .resize(side, side, { kernel: 'cubic' })
    .toFormat(format)
    .toBuffer()
}
