import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { decodeName, escapeName, renaming } from './undecodable-name.ts'

const latin1 = (name: string): Buffer => Buffer.from(name, 'latin1')

it('decodes UTF-8 alone', () => {
  expect(decodeName(Buffer.from('café 🌼'))).toBe('café 🌼')
  expect(decodeName(latin1('caf\xe9'))).toBeUndefined()
})

it('escapes what is not ASCII', () => {
  expect(escapeName(latin1('a\nb caf\xe9'))).toBe('a\\x0ab caf\\xe9')
})

it.skipIf(process.platform === 'darwin')('gives a name to one that is of no western letters', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flowers-\u0085-'))
  try {
    for (const name of ['\x81\x40x', '\x83\x6f\x83\x89']) {
      mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), latin1(name)]))
      execFileSync('bash', ['-c', renaming(folder, latin1(name))])
    }
    const names = readdirSync(folder)
    expect(names).toContain('_@x')
    expect(names).toHaveLength(2)
    // Releases of Node differ in what windows-1252 has between 0x80 and 0x9f.
    for (const name of names) expect(name).not.toMatch(/[\p{Cc}\uFFFD]/u)
  } finally {
    await rm(folder, { recursive: true })
  }
})

it.skipIf(process.platform === 'darwin').each(['caf\xe9', "l'\xe9t\xe9 $x `y` \\", '-n\xe9'])(
  'gives a line that bash renames %j by',
  async (name) => {
    const folder = await mkdtemp(join(tmpdir(), "flowers '$name "))
    try {
      mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), latin1(name)]))
      execFileSync('bash', ['-c', renaming(folder, latin1(name))])
      expect(readdirSync(folder)).toEqual([name])
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)
