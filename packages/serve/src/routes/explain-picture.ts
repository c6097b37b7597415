import type { Canvas } from '@flowers/shared/image/canvas'
import { heatMap, type PlacedMap } from '@flowers/shared/image/heat-map'
import sharp from 'sharp'

/** Side of the drawn map: more could not be seen, and this thread has requests to answer. */
const drawn = 128

/** The picture as the model saw it, with a class map over it, as a PNG. */
export async function explainPicture({ pixels, size }: Canvas, map: PlacedMap): Promise<Buffer> {
  const overlay = await sharp(heatMap(map, drawn), { raw: { width: drawn, height: drawn, channels: 4 } })
    .resize(size, size)
    .png()
    .toBuffer()
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .composite([{ input: overlay }])
    .png()
    .toBuffer()
}
