import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { explained, reasonOf } from './system-error.ts'

let folder: Awaited<ReturnType<typeof testFolder>>
beforeAll(async () => {
  folder = await testFolder({ 'file.txt': '' })
  vi.stubEnv('INIT_CWD', folder.path)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await folder.remove()
})

const at = (path: string): string => join(folder.path, path)

it.each([
  [() => readFile(at('nope')), 'SYSTEM_FILE', 'nope is not there'],
  [() => readFile(folder.path), 'SYSTEM_FILE', 'a file is a folder, not a file'],
  [
    () => mkdir(at('file.txt/a')),
    'SYSTEM_NO_PERMISSION',
    'file.txt/a cannot be made: a file is where a folder should be',
  ],
  [() => writeFile(at(`none/a.csv.${'0'.repeat(36)}.tmp`), ''), 'SYSTEM_FILE', 'none/a.csv is not there'],
] as const)('says %s in words', async (fail, code, message) => {
  const error = await fail().catch(explained)
  expect(error).toMatchObject({ code, message })
})

it('leaves other errors as they are', () => {
  const defect = new TypeError('x is not a function')
  expect(explained(defect)).toBe(defect)
})

it('says what the system says without its codes and without the path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flowers-reason-'))
  try {
    const reasons = await Promise.all(
      ['gone.jpg', '.', 'x'.repeat(300)].map((name) => readFile(join(folder, name)).then(String, reasonOf)),
    )
    expect(reasons).toEqual([
      'it is not there, or the link to it leads nowhere',
      'it is a folder',
      'its path is too long for the system',
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('takes the first line of any other error', () => {
  expect(reasonOf(new Error('  one\ntwo'))).toBe('one')
  expect(reasonOf('text')).toBe('text')
  expect(reasonOf(undefined)).toBe('undefined')
})
