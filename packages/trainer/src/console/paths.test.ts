import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { isWithin } from './paths.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
const at = (path: string): string => join(folder.path, path)

beforeAll(async () => {
  folder = await testFolder({ 'photos.csv': '' })
  await mkdir(at('photos/rose'), { recursive: true })
  await symlink(at('photos'), at('link'))
  await mkdir(at('elsewhere'))
  await symlink(at('elsewhere'), at('photos/out'))
})
afterAll(() => folder.remove())

it.each([
  ['photos', 'photos', true],
  ['photos/runs/a', 'photos', true],
  ['photos/..a', 'photos', true],
  ['link/rose/run', 'photos', true],
  ['photos/run', 'link', true],
  ['photos/out/run', 'photos', false],
  ['photos2', 'photos', false],
  ['runs/a', 'photos', false],
  ['runs/a', 'photos.csv', false],
])('%s in %s: %s', async (path, parent, within) => {
  expect(await isWithin(at(path), at(parent))).toBe(within)
})
