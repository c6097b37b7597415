import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { contactSheet, spreadEpochs } from './contact-sheet.ts'
import type { Phase } from '../recipe/schema.ts'
import { openDataset, type Dataset } from '../dataset/dataset.ts'
import { testRecipe } from '../testing/test-recipe.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'

const recipe = testRecipe('flowers102')
const full: Phase = { ...recipe.phases.full, size: 24 }
/** Height of the line of epochs. */
const head = 16

let folder: Awaited<ReturnType<typeof testFolder>>
let dataset: Dataset

beforeAll(async () => {
  const names = ['a/1.jpg', 'a/2.jpg', 'a/3.jpg', 'b/1.jpg', 'b/2.jpg', 'b/3.jpg']
  folder = await testFolder(
    Object.fromEntries(await Promise.all(names.map(async (name, index) => [name, await testPhoto(index)]))),
  )
  dataset = await openDataset(folder.path, { seed: 1 })
})
afterAll(() => folder.remove())

/** A sheet of three rows, and its pictures by column and row. */
async function draw(phase: Phase, columns: number, onProgress?: (done: number, total: number) => void) {
  const png = await contactSheet(dataset, { recipe, phase, rows: 3, columns, ...(onProgress && { onProgress }) })
  const { width, height } = await sharp(png).metadata()
  const cut = (left: number, top: number, [w, h]: readonly [number, number]): Promise<Buffer> =>
    sharp(png).extract({ left, top, width: w, height: h }).raw().toBuffer()
  const at = async (column: number, row: number): Promise<string> =>
    (await cut(2 + 26 * column, head + 2 + 26 * row, [24, 24])).toString('hex')
  const label = async (column: number): Promise<string> => (await cut(2 + 26 * column, 0, [24, head])).toString('hex')
  return { size: [width, height], at, label }
}

it('shows every photo in every epoch, each time another way', async () => {
  const done: string[] = []
  const sheet = await draw(full, 4, (epochs, total) => done.push(`${epochs}/${total}`))
  expect(done).toEqual(['1/4', '2/4', '3/4', '4/4'])
  expect(sheet.size).toEqual([2 + 4 * 26, head + 2 + 3 * 26])
  const pictures = await Promise.all([0, 1, 2, 3].flatMap((column) => [0, 1, 2].map((row) => sheet.at(column, row))))
  expect(new Set(pictures).size).toBe(12)
})

it('spreads its columns from the first epoch to the last, and says which they are', async () => {
  expect(spreadEpochs(120, 8)).toEqual([0, 17, 34, 51, 68, 85, 102, 119])
  expect(spreadEpochs(3, 8)).toEqual([0, 1, 2])
  expect(spreadEpochs(1, 8)).toEqual([0])
  expect(spreadEpochs(9, 1)).toEqual([0])

  const fading = (strength: Phase['augment']['strength']): Phase => ({
    ...full,
    epochs: 40,
    augment: { ...full.augment, strength },
  })
  const [none, whole, falling] = await Promise.all([
    draw(fading(0), 3),
    draw(fading(1), 3),
    draw(fading({ from: 1, to: 0 }), 3),
  ])
  expect(falling.size).toEqual([2 + 3 * 26, head + 2 + 3 * 26])
  expect(await falling.at(0, 0)).toBe(await whole.at(0, 0))
  for (const other of [none, whole]) expect(await falling.at(1, 0)).not.toBe(await other.at(1, 0))
  // The late epochs of the recipe have no mixing.
  expect(await falling.at(2, 0)).toBe(await none.at(2, 0))

  const labels = await Promise.all([0, 1, 2].map((column) => falling.label(column)))
  expect(new Set([...labels, 'ff'.repeat(24 * head * 3)]).size).toBe(4)
})

it('shows the views of features that are cached, as nothing else reaches the head', async () => {
  const cached = (featureViews: Phase['featureViews']): Phase => ({
    ...full,
    trainable: 'head',
    features: 'cached',
    featureViews,
    epochs: 30,
  })
  const plain = { flip: 'none', scale: 1 } as const
  const views = [plain, { flip: 'horizontal', scale: 1 }, { flip: 'vertical', scale: 1.2 }] as const
  const [straight, sheet] = await Promise.all([draw(cached([plain]), 8), draw(cached([...views]), 8)])
  const columns = [0, 1, 2, 3, 4, 5, 6, 7]
  for (const row of [0, 1, 2]) {
    const same = await Promise.all(columns.map((column) => straight.at(column, row)))
    expect(new Set(same).size).toBe(1)
    const drawn = new Set(await Promise.all(columns.map((column) => sheet.at(column, row))))
    expect(drawn.size).toBeGreaterThan(1)
    expect(drawn.size).toBeLessThanOrEqual(3)
    expect(drawn).toContain(same[0])
  }
  const flipped = await draw(cached([views[1]]), 1)
  const mirrored = await sharp(Buffer.from(await straight.at(0, 0), 'hex'), {
    raw: { width: 24, height: 24, channels: 3 },
  })
    .flop()
    .raw()
    .toBuffer()
  expect(await flipped.at(0, 0)).toBe(mirrored.toString('hex'))
})

it('refuses a phase that is left out', async () => {
  await expect(draw({ ...full, epochs: 0 }, 8)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('0 epochs') as string,
  })
})

it('leaves out photos that cannot be read', async () => {
  await folder.write('broken/train/a/1.jpg', await testPhoto(1))
  await folder.write('broken/train/a/2.jpg', 'no photo')
  await folder.write('broken/train/b/1.jpg', (await testPhoto(2)).subarray(0, 300))
  await folder.write('broken/train/b/2.jpg', await testPhoto(3))
  await folder.write('broken/valid/a/3.jpg', await testPhoto(4))
  const broken = await openDataset(join(folder.path, 'broken'), { seed: 1 })
  const options = { recipe, phase: { ...full, epochs: 1 }, rows: 4, columns: 1 }
  const { height } = await sharp(await contactSheet(broken, options)).metadata()
  expect(height).toBe(head + 2 + 2 * 26)
  const none = { ...broken, train: broken.train.filter(({ id }) => /a\/2|b\/1/.test(id)) }
  await expect(contactSheet(none, options)).rejects.toMatchObject({ code: 'DATA_EMPTY' })
})
