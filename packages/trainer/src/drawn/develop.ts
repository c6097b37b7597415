import sharp from 'sharp'
import { Random } from '@flowers/shared/random'

let grain: Float32Array | undefined

/** Normal numbers in a ring, drawn once: sensor noise needs many and needs them fast. */
function grainOf(): Float32Array {
  if (!grain) {
    const random = new Random(0, 'drawing')
    grain = Float32Array.from({ length: 65_536 }, () => random.normal())
  }
  return grain
}

/**
 * Makes a photo of a drawing: exposure, a lens that is never quite sharp, sensor noise, JPEG. Returns the JPEG's bytes.
 */
export async function developPhoto(svg: string, random: Random): Promise<Buffer> {
  const blur = random.uniform() < 0.35 ? random.between(0.4, 1) : 0
  const gain = random.between(0.78, 1.15)
  const lift = random.between(-10, 14)
  const noise = random.between(1, 6)
  const quality = 78 + random.integer(16)
  const start = random.integer(65_536)
  const pipeline = sharp(Buffer.from(svg)).flatten({ background: '#ffffff' }).toColourspace('srgb')
  if (blur > 0) pipeline.blur(blur)
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  const numbers = grainOf()
  for (let index = 0; index < data.length; index++) {
    const value = data[index]! * gain + lift + noise * numbers[(start + index) & 65_535]! + 0.5
    data[index] = value < 0 ? 0 : value > 255 ? 255 : value
  }
  const { width, height } = info
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: '4:2:0' })
    .toBuffer()
}
