import type { Canvas } from '@flowers/shared/canvas'
import { heatMap } from '@flowers/shared/heat-map'
import sharp from 'sharp'

/** A class map of height x width places, row by row. */
export interface PlacedMap {
  readonly values: ArrayLike<number>
  readonly height: number
  readonly width: number
}

/** The picture as the model saw it, with a class map over it, as a PNG. */
export async function explainPicture({ pixels, size }: Canvas, map: PlacedMap): Promise<Buffer> {
  const { height, width } = map
  const overlay = await sharp(heatMap(map.values), { raw: { width, height, channels: 4 } })
    .resize(size, size, { fit: 'fill', kernel: 'cubic' })
    .png()
    .toBuffer()
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .composite([{ input: overlay }])
    .png()
    .toBuffer()
}
