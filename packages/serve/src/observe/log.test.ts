import { spawnSync } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtModule } from '@flowers/shared/built-module'
import { expect, it } from 'vitest'

const script = `import { logStream } from ${JSON.stringify(builtModule(import.meta.url, './log.ts').href)}
logStream.write('first\\n'); logStream.write('second\\n'); process.exit(7)`

function writeTo(file: string): number | null {
  const stdio = ['ignore', openSync(file, 'w'), 'inherit'] as const
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { stdio: [...stdio] }).status
}

it('writes whole lines, and loses those that cannot be written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flowers-log-'))
  const file = join(folder, 'log')
  expect(writeTo(file)).toBe(7)
  expect(readFileSync(file, 'utf8')).toBe('first\nsecond\n')
  expect(writeTo('/dev/full')).toBe(7)
  await rm(folder, { recursive: true })
})
