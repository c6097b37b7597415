import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allocator } from '@flowers/serve/testing/process'

const variable = 'MALLOC_MMAP_THRESHOLD_'

/** A folder with a `node` that prints what it was started with. */
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-start-'))
  await writeFile(join(folder, 'node'), `#!/bin/sh\necho "$${variable} $*"\n`)
  await chmod(join(folder, 'node'), 0o755)
})
afterAll(() => rm(folder, { recursive: true }))

async function start(manifest: string, environment: Record<string, string>): Promise<string> {
  const path = fileURLToPath(new URL(manifest, import.meta.url))
  const { scripts } = JSON.parse(await readFile(path, 'utf8')) as { scripts: { start: string } }
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', scripts.start], {
    env: { PATH: `${folder}:${process.env['PATH']}`, ...environment },
  })
  return stdout
}

describe.each([
  ['../package.json', 'scripts/run.mjs start'],
  ['../packages/serve/package.json', 'dist/main.js'],
])('start of %s', (manifest, program) => {
  it('has glibc give large memory back, unless told otherwise', async () => {
    expect(await start(manifest, {})).toBe(`${allocator[variable]} ${program}\n`)
    expect(await start(manifest, { [variable]: '4096' })).toBe(`4096 ${program}\n`)
  })
})
