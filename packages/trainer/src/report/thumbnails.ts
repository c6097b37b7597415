import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import pLimit from 'p-limit'
import sharp from 'sharp'

/** Side in pixels. */
const thumbnailSize = 96

/** Square WebP pictures, about 3 kB each, as data URIs by path; a photo that cannot be read has none. */
export async function thumbnails(paths: Iterable<string>): Promise<Map<string, string>> {
  const limit = pLimit(availableParallelism())
  const made = await limit.map([...new Set(paths)], async (path) => {
    const uri = await thumbnail(path).catch(() => null)
    return uri === null ? [] : [[path, uri] as const]
  })
  return new Map(made.flat())
}

async function thumbnail(path: string): Promise<string> {
  const picture = await sharp(await readFile(path), { failOn: 'none', pages: 1 })
    .autoOrient()
    .resize(thumbnailSize, thumbnailSize, { fit: 'cover' })
    .toColourspace('srgb')
    .webp({ quality: 72, effort: 5, smartSubsample: true })
    .toBuffer()
  return `data:image/webp;base64,${picture.toString('base64')}`
}
