import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDataset, type Dataset } from '../dataset/dataset.ts'
import { testFolder } from '../testing/test-photos.ts'
import { openTeacher, placesIn } from './teacher.ts'

/** Knows red, green, blue and yellow. */
const model = fileURLToPath(new URL('../../../serve/fixtures/models/tiny/1', import.meta.url))
let folder: Awaited<ReturnType<typeof testFolder>>
const at = (path: string): string => join(folder.path, path)

beforeAll(async () => {
  const photo = (color: string) =>
    sharp({ create: { width: 48, height: 48, channels: 3, background: color } })
      .png()
      .toBuffer()
  folder = await testFolder({
    'flowers/train/yellow/a.png': await photo('#ff0'),
    'flowers/train/red/a.png': await photo('#f00'),
    'flowers/train/red/b.png': await photo('#e00'),
    'flowers/valid/red/c.png': await photo('#f00'),
    'others/train/red/a.png': await photo('#f00'),
    'others/train/pink/a.png': await photo('#f88'),
    'others/valid/red/b.png': await photo('#f00'),
  })
  await mkdir(at('run/checkpoints'), { recursive: true })
})
afterAll(() => folder.remove())

const signal = new AbortController().signal
const open = (dataset: Dataset, models: readonly string[], temperature = 1) => {
  const teacher = { models: [...models], temperature, share: 0.5 }
  return openTeacher({ folder: at('run'), recipe: { teacher }, dataset, signal })
}
const dataset = (name: string): Promise<Dataset> => openDataset(at(name), { seed: 1, validShare: 0.5 })

it('refuses a teacher that lacks a class', async () => {
  await expect(open(await dataset('others'), [model])).rejects.toMatchObject({
    code: 'TRAIN_TEACHER',
    message: expect.stringContaining('1 of the 2 classes: pink') as string,
  })
})

it('gives each training photo what the teachers say of the classes of the run, and keeps it with the run', async () => {
  const flowers = await dataset('flowers')
  const places = placesIn(flowers.train)
  const order = flowers.train.toSorted((a, b) => b.path.localeCompare(a.path))
  const own = order.map((sample) => places.get(sample)!)
  const rows = (await open(flowers, [model, model]))!.rows(own)
  expect(rows).toHaveLength(6)
  for (const [row, { index }] of order.entries()) {
    expect(rows[2 * row]! + rows[2 * row + 1]!).toBeCloseTo(1, 6)
    expect(rows[2 * row + index]).toBeGreaterThan(0.5)
  }
  // Without the models, and softer.
  const softer = (await open(flowers, ['gone'], 4))!.rows(own)
  for (const [row, { index }] of order.entries()) {
    expect(softer[2 * row + index]).toBeGreaterThan(0.5)
    expect(softer[2 * row + index]).toBeLessThan(rows[2 * row + index]!)
  }
  await rm(at('run/checkpoints/teacher.safetensors'))
  await expect(open(flowers, ['gone'])).rejects.toMatchObject({ code: 'MODEL_FOLDER' })
})
