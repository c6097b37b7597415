import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { foldFolder } from './files.ts'
import { writeFoldPlan } from './fold-plan.ts'
import { readOutOfFold, writeFoldAnswers, type FoldAnswer } from './out-of-fold.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
const answers: readonly FoldAnswer[] = [
  { id: 'a/1.jpg', sha256: 'a1', label: 0, views: [Float32Array.of(0.75, 0.25), Float32Array.of(0.5, 0.5)] },
  { id: 'b/1.jpg', sha256: 'b1', label: 1, views: [Float32Array.of(0.25, 0.75), Float32Array.of(0, 1)] },
]
const data = {
  sha256: 'ff',
  labels: ['a', 'b'],
  photos: answers.map(({ id, sha256 }) => ({ id, sha256 })),
}

beforeEach(async () => {
  folder = await testFolder({})
  await writeFoldPlan(folder.path, {
    folds: 2,
    photos: [
      ['a/1.jpg', 0],
      ['b/1.jpg', 1],
    ],
  })
  for (const [fold, answer] of answers.entries()) {
    await mkdir(foldFolder(folder.path, fold), { recursive: true })
    await writeFoldAnswers(foldFolder(folder.path, fold), 'ff', [answer])
  }
})
afterEach(() => folder.remove())

it('reads what the folds wrote', async () => {
  expect(await readOutOfFold(folder.path, data)).toEqual({ networks: 2, photos: answers })
})

it('is nothing of a run without folds', async () => {
  await rm(join(folder.path, 'folds.json'))
  expect(await readOutOfFold(folder.path, data)).toBeNull()
})

it('refuses answers to other photos, and those that are gone or not whole', async () => {
  const isDamaged = { code: 'TRAIN_RUN_DAMAGED' }
  await expect(readOutOfFold(folder.path, { ...data, sha256: 'ee' })).rejects.toMatchObject(isDamaged)
  await expect(readOutOfFold(folder.path, { ...data, photos: [] })).rejects.toMatchObject(isDamaged)
  await expect(readOutOfFold(folder.path, { ...data, labels: ['a', 'b', 'c'] })).rejects.toMatchObject(isDamaged)
  const file = join(foldFolder(folder.path, 1), 'out-of-fold.safetensors')
  await writeFile(file, 'x')
  await expect(readOutOfFold(folder.path, data)).rejects.toMatchObject(isDamaged)
  await rm(file)
  await expect(readOutOfFold(folder.path, data)).rejects.toMatchObject({
    code: 'TRAIN_RUN_DAMAGED',
    message: expect.stringContaining('is gone') as string,
  })
})
