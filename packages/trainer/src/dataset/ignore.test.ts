import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { openDataset, withoutPhotos } from './dataset.ts'
import { ignoredPhotos } from './ignore.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'

it('finds training photos by their content, whatever their name, and leaves validation alone', async () => {
  const [rose, tulip, shared] = await Promise.all([1, 2, 3].map((seed) => testPhoto(seed)))
  const folder = await testFolder({
    'train/rose/a.jpg': rose!,
    'train/rose/b.jpg': shared!,
    'train/tulip/c.jpg': tulip!,
    'valid/rose/d.jpg': shared!,
    'valid/tulip/e.jpg': tulip!,
  })
  try {
    const dataset = await openDataset(folder.path, { seed: 1 })
    const hash = createHash('sha256').update(shared!).digest('hex')
    const ids = ignoredPhotos(dataset, [hash, '0'.repeat(64)])
    expect(ids).toEqual(['train/rose/b.jpg'])
    const left = withoutPhotos(dataset, new Set(ids))
    expect(left.train.map(({ id }) => id)).toEqual(['train/rose/a.jpg', 'train/tulip/c.jpg'])
    expect(left.valid).toEqual(dataset.valid)
    expect(ignoredPhotos(dataset, [])).toEqual([])
  } finally {
    await folder.remove()
  }
})
