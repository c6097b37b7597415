import { join } from 'node:path'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { testFolder, testPhoto } from '../testing/test-photos.ts'
import { thumbnails } from './thumbnails.ts'

it('makes small upright squares, and none of what cannot be read', async () => {
  // Left half red, right half blue, stored on its side.
  const wide = await sharp({ create: { width: 200, height: 100, channels: 3, background: '#00f' } })
    .composite([{ input: { create: { width: 100, height: 100, channels: 3, background: '#f00' } }, left: 0, top: 0 }])
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer()
  const folder = await testFolder({ 'wide.jpg': wide, 'small.jpg': await testPhoto(1, 30, 20), 'broken.jpg': 'no' })
  try {
    const paths = ['wide.jpg', 'small.jpg', 'broken.jpg', 'gone.jpg'].map((name) => join(folder.path, name))
    const made = await thumbnails([...paths, paths[0]!])
    expect([...made.keys()].toSorted()).toEqual(paths.slice(0, 2).toSorted())
    for (const uri of made.values()) {
      expect(uri).toMatch(/^data:image\/webp;base64,/)
      expect(uri.length).toBeLessThan(12_000)
    }
    const { data, info } = await sharp(Buffer.from(made.get(paths[0]!)!.split(',')[1]!, 'base64'))
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([info.width, info.height]).toEqual([96, 96])
    const at = (x: number, y: number): number[] => [...data.subarray((y * 96 + x) * 3, (y * 96 + x) * 3 + 3)]
    // Turned by a quarter: red above blue.
    expect(at(48, 10)[0]).toBeGreaterThan(200)
    expect(at(48, 85)[2]).toBeGreaterThan(200)
  } finally {
    await folder.remove()
  }
})
