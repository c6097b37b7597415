import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { auditDataset } from '../dataset/audit.ts'
import { writeAuditPictures } from './audit-pictures.ts'
import { openDataset } from '../dataset/dataset.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'

it('draws the classes by their photos, and near-duplicates in rows', async () => {
  const photos = await Promise.all([1, 2, 3, 4].map((seed) => testPhoto(seed, 200, 100)))
  const small = await sharp(photos[0]).resize(90).toBuffer()
  const folder = await testFolder({
    'train/rose & co/1.jpg': photos[0]!,
    'train/tulip/2.jpg': photos[1]!,
    'train/tulip/3.jpg': photos[2]!,
    'valid/tulip/4.jpg': photos[3]!,
    'valid/rose & co/small.jpg': small,
  })
  try {
    const dataset = await openDataset(folder.path, { seed: 1 })
    const audit = await auditDataset(dataset, { minimumSize: 16 })
    const out = join(folder.path, 'pictures')
    expect(await writeAuditPictures(out, dataset, audit)).toEqual([
      join(out, 'class-counts.svg'),
      join(out, 'near-duplicates.jpg'),
    ])
    const svg = await readFile(join(out, 'class-counts.svg'), 'utf8')
    const titles = [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title]) => title)
    expect(titles).toEqual([
      'tulip: 2 training photos',
      'tulip: 1 validation photos',
      'rose &amp; co: 1 training photos',
      'rose &amp; co: 1 validation photos',
    ])
    // No style of a page is there to give colours their values.
    expect(svg).not.toContain('var(')
    expect((await sharp(Buffer.from(svg)).metadata()).format).toBe('svg')
    const { width, height, format } = await sharp(join(out, 'near-duplicates.jpg')).metadata()
    expect([width, height, format]).toEqual([264, 158, 'jpeg'])
    // In the middle of each picture is the photo, the same one.
    const middle = async (left: number) =>
      sharp(await readFile(join(out, 'near-duplicates.jpg')))
        .extract({ left: left + 60, top: 60, width: 8, height: 8 })
        .resize(1, 1)
        .raw()
        .toBuffer()
    const [first, second] = [await middle(0), await middle(132)]
    first.forEach((value, channel) => expect(Math.abs(value - second[channel]!)).toBeLessThan(8))
  } finally {
    await folder.remove()
  }
})
