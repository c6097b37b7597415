import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SharedError } from '@flowers/shared/errors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { makeAt, targetAt, targetOf, type Target } from './target.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
beforeEach(async () => {
  folder = await testFolder({
    'models/mine/2/manifest.json': '{}',
    'models/mine/10.x.tmp/a': '',
    'models/mine/07/a': '',
  })
})
afterEach(() => folder.remove())
const mine = () => ({ models: join(folder.path, 'models'), name: 'mine' })

it('a place for a model names it and its version', () => {
  expect(targetOf('models/garden18/12')).toEqual({ name: 'garden18', version: 12 })
  for (const wrong of ['models/garden18/0', 'models/garden18/v1', 'models/Garden/1', '1']) {
    expect(() => targetOf(wrong)).toThrow(expect.objectContaining({ code: 'EXPORT_TARGET' }))
  }
})

describe('the next version', () => {
  it('follows the highest, and is 1 for a new name', async () => {
    const { models } = mine()
    expect(await targetAt(mine())).toEqual({ folder: join(models, 'mine', '3'), name: 'mine', version: 3 })
    expect(await targetAt({ models, name: 'new' })).toMatchObject({ version: 1 })
  })

  it('is each its own for those who make one at the same time', async () => {
    const made = await Promise.all([1, 2, 3].map(() => makeAt(mine(), takeFolder)))
    expect(made.toSorted((a, b) => a - b)).toEqual([3, 4, 5])
  })

  it('is not tried again for another failure', async () => {
    const failure = new Error('the disk is full')
    await expect(makeAt(mine(), () => Promise.reject(failure))).rejects.toBe(failure)
  })
})

it('a version that is named is taken by the first', async () => {
  const place = join(mine().models, 'mine', '4')
  expect(await makeAt(place, takeFolder)).toBe(4)
  await expect(makeAt(place, takeFolder)).rejects.toMatchObject({ code: 'MODEL_EXISTS' })
})

async function takeFolder({ folder: path, version }: Target): Promise<number> {
  await mkdir(path).catch((cause: unknown) => {
    throw new SharedError('MODEL_EXISTS', `${path} exists.`, { cause })
  })
  return version
}
