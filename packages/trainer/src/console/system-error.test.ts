import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { reasonOf } from './system-error.ts'

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
