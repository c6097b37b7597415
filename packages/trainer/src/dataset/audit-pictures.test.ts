import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { auditDataset } from './audit.ts'
import { writeAuditPictures } from './audit-pictures.ts'
import { classCountsSvg } from './class-counts.ts'
import { openDataset } from './dataset.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'

it('draws the classes by their photos, and near copies in rows', async () => {
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
      join(out, 'near-copies.jpg'),
    ])
    const svg = await readFile(join(out, 'class-counts.svg'), 'utf8')
    expect([...svg.matchAll(/class="label"[^>]*>([^<]*)</g)].map(([, label]) => label)).toEqual([
      'tulip',
      'rose &amp; co',
    ])
    // Tulip, with the most photos, is as wide as the chart: two of three photos train.
    expect(svg).toMatch(/class="train" x="\d+" y="46" width="320\.0"/)
    expect(svg).toMatch(/class="valid" x="\d+\.0" y="46" width="160\.0"/)
    expect((await sharp(Buffer.from(svg)).metadata()).format).toBe('svg')
    const { width, height, format } = await sharp(join(out, 'near-copies.jpg')).metadata()
    expect([width, height, format]).toEqual([264, 158, 'jpeg'])
    // In the middle of each picture is the photo, the same one.
    const middle = async (left: number) =>
      sharp(await readFile(join(out, 'near-copies.jpg')))
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

it('stays readable with 152 classes', () => {
  const samples = Array.from({ length: 152 }, (_, index) => ({
    path: '',
    id: `${index}`,
    index,
    label: `class-${index}`,
  }))
  const svg = classCountsSvg({ labels: samples.map(({ label }) => label), train: samples, valid: [] })
  const rows = [...svg.matchAll(/class="label" x="\d+" y="(\d+)"/g)].map(([, y]) => Number(y))
  expect(rows).toHaveLength(152)
  rows.slice(1).forEach((y, index) => expect(y - rows[index]!).toBeGreaterThanOrEqual(16))
  expect(svg).toContain(`viewBox="0 0 ${/width="(\d+)"/.exec(svg)![1]} ${rows.at(-1)! + 16}"`)
})
