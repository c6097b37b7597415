import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { claimRun } from './claim-run.ts'

let place: Awaited<ReturnType<typeof testFolder>>
beforeEach(async () => {
  place = await testFolder({})
})
afterEach(() => place.remove())

const at = (name: string): string => join(place.path, 'runs', name)
const claim = (name: string, { isNamed = false, resume = false } = {}) =>
  claimRun({ folder: at(name), isNamed, resume })

it('gives runs of the same moment folders of their own', async () => {
  const claimed = await Promise.all([claim('a'), claim('a'), claim('a')])
  expect(claimed.map(({ folder }) => basename(folder)).toSorted()).toEqual(['a', 'a-2', 'a-3'])
})

it('leaves nothing of a run that has not begun, and all of one that has', async () => {
  const early = await claim('early')
  await mkdir(join(early.folder, 'checkpoints'))
  await early.release()
  expect(await readdir(at(''))).toEqual([])

  const begun = await claim('begun')
  await writeFile(join(begun.folder, 'data.json'), '')
  await begun.release()
  expect(await readdir(begun.folder)).toEqual(['data.json'])
})

it('keeps a folder that was there before, without what the run left in it', async () => {
  await mkdir(join(at('mine'), 'checkpoints'), { recursive: true })
  const { release } = await claim('mine', { isNamed: true })
  await release()
  expect(await readdir(at('mine'))).toEqual([])
})

it('refuses a named folder with something in it, or in which another process is, and changes nothing there', async () => {
  await mkdir(at('full'), { recursive: true })
  await writeFile(join(at('full'), 'notes.txt'), '')
  await expect(claim('full', { isNamed: true })).rejects.toMatchObject({ code: 'TRAIN_RUN_EXISTS' })
  expect(await readdir(at('full'))).toEqual(['notes.txt'])

  const { release } = await claim('held', { isNamed: true })
  for (const resume of [false, true])
    await expect(claim('held', { isNamed: true, resume })).rejects.toMatchObject({ code: 'TRAIN_RUN_BUSY' })
  expect(await readdir(at('held'))).toEqual(['.owner.1.json'])
  await release()
})
