import { execFile } from 'node:child_process'
import { lstat, readdir, readFile, symlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { makePipe } from '../testing/odd-files.ts'
import { testFolder } from '../testing/test-photos.ts'
import { requireOutside, requireWritable, requireWritableFile, writeOutput } from './output.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
const at = (path: string): string => join(folder.path, path)

beforeAll(async () => {
  folder = await testFolder({ 'file.txt': 'x' })
})
afterAll(() => folder.remove())

it('takes what can be made, and makes nothing', async () => {
  await requireWritable(at('a/b'))
  await requireWritableFile(at('a/b/c.csv'))
  await requireWritableFile(at('file.txt'))
  expect(await readdir(folder.path)).toEqual(['file.txt'])
})

it.each(['file.txt/x.csv', 'file.txt/a/b/x.csv'])('refuses %s, as a file is in the way', async (path) => {
  await expect(requireWritableFile(at(path))).rejects.toMatchObject({ code: 'ENOTDIR' })
  await expect(requireWritable(at('file.txt'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

it('refuses a folder in the place of a file', async () => {
  await expect(requireWritableFile(folder.path)).rejects.toMatchObject({ code: 'USAGE' })
})

it('writes what a link leads to, and into a pipe', async () => {
  await writeOutput(at('linked.txt'), 'old')
  await symlink(at('linked.txt'), at('link.txt'))
  await writeOutput(at('link.txt'), 'new')
  expect((await lstat(at('link.txt'))).isSymbolicLink()).toBe(true)
  expect(await readFile(at('linked.txt'), 'utf8')).toBe('new')
  await makePipe(at('pipe'))
  const read = promisify(execFile)('cat', [at('pipe')])
  await writeOutput(at('pipe'), 'through')
  expect((await read).stdout).toBe('through')
})

it('writes a file into a folder that is not there', async () => {
  await writeOutput(at('new/deep/x.txt'), 'text')
  expect(await readFile(at('new/deep/x.txt'), 'utf8')).toBe('text')
  expect(await readdir(at('new/deep'))).toEqual(['x.txt'])
})

it('refuses a place among the photos, and names one beside them', async () => {
  vi.stubEnv('INIT_CWD', folder.path)
  await requireOutside('runs/a', 'photos')
  await expect(requireOutside('photos/runs/a', 'photos')).rejects.toMatchObject({
    code: 'USAGE',
    message: '--out photos/runs/a lies among the photos of photos; name a place outside: --out runs/a',
  })
  vi.unstubAllEnvs()
})
