import sharp from 'sharp'
import { expect, it } from 'vitest'
import { recipes } from '../../recipes/index.ts'
import { contactSheet } from './contact-sheet.ts'
import { openDataset } from './dataset.ts'
import { testFolder, testPhoto } from './test-photos.ts'

it('shows every photo in every epoch, each time another way', async () => {
  const names = ['a/1.jpg', 'a/2.jpg', 'a/3.jpg', 'b/1.jpg', 'b/2.jpg', 'b/3.jpg']
  const folder = await testFolder(
    Object.fromEntries(await Promise.all(names.map(async (name, index) => [name, await testPhoto(index)]))),
  )
  try {
    const recipe = recipes['flowers102']!
    const phase = { ...recipe.phases.full, size: 24 }
    const epochs: string[] = []
    const png = await contactSheet(await openDataset(folder.path, { seed: 1 }), {
      recipe,
      phase,
      rows: 3,
      columns: 4,
      onProgress: (done, total) => epochs.push(`${done}/${total}`),
    })
    expect(epochs).toEqual(['1/4', '2/4', '3/4', '4/4'])
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height]).toEqual([2 + 4 * 26, 2 + 3 * 26])
    const middle = (column: number) =>
      data
        .subarray((15 * info.width + 2 + column * 26 + 12) * 3)
        .subarray(0, 3)
        .join()
    expect(new Set([0, 1, 2, 3].map(middle)).size).toBeGreaterThan(2)
    // As strong as the phase has it, and as it moves.
    const dataset = await openDataset(folder.path, { seed: 1 })
    const sheet = (strength: typeof phase.augment.strength) => {
      const augment = { ...phase.augment, strength }
      return contactSheet(dataset, { recipe, phase: { ...phase, augment, epochs: 2 }, rows: 3, columns: 2 })
    }
    const [none, whole, falling] = await Promise.all([sheet(0), sheet(1), sheet({ from: 1, to: 0 })])
    expect(none.equals(whole)).toBe(false)
    expect([none, whole].some((other) => falling.equals(other))).toBe(false)
  } finally {
    await folder.remove()
  }
})
