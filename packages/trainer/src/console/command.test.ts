import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { command, npmIn, pathWord, shellWord } from './command.ts'

const odd = [
  'my photos',
  "it's",
  '"x"',
  '$HOME',
  '`date`',
  'a\\b',
  'a;b',
  'a&b|c',
  '*',
  '~',
  '!x',
  '=x',
  '#x',
  '(x)',
  '',
  'ä 花',
  'two\nlines',
  'next\u0085line',
  "tab\t'x'\\",
]

describe('a word', () => {
  it('comes back from a shell as it was', async () => {
    const script = `printf '%s\\0' ${odd.map(shellWord).join(' ')}`
    const { stdout } = await promisify(execFile)('bash', ['-c', script])
    expect(stdout.split('\0').slice(0, -1)).toEqual(odd)
  })

  it('stays as it is where no shell minds, and is in one line', () => {
    for (const word of ['photos', 'runs/mine-1', '--data', '/a.b/C_d', 'x=1', 'Röslein'])
      expect(shellWord(word)).toBe(word)
    for (const word of odd) expect(shellWord(word)).not.toContain('\n')
  })
})

describe('a command', () => {
  beforeEach(() => {
    for (const name of ['npm_package_name', 'npm_lifecycle_event', 'npm_config_user_agent', 'npm_execpath'])
      vi.stubEnv(name, '')
    vi.stubEnv('INIT_CWD', '/home/me')
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })
  const calledBy = (variables: Record<string, string>): void => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  }
  const root = { npm_package_name: 'flowers', npm_lifecycle_event: 'train', npm_package_json: '/home/me/package.json' }

  it('is called by npm as it was', () => {
    calledBy({ ...root, npm_config_user_agent: 'npm/10.8.2 node/v20.20.2 linux x64' })
    expect(command('train', '--resume', pathWord('/home/me/my runs/1'))).toBe("npm run train -- --resume 'my runs/1'")
    expect(command('export', '--run', '-1')).toBe('npm run train -- export --run -1')
  })

  it('is called by npm from another folder', () => {
    calledBy({ ...root, npm_package_json: '/opt/my flowers/package.json' })
    expect(command('train')).toBe("npm --prefix '/opt/my flowers' run train --")
    expect(npmIn('/home/me')).toBe('npm')
  })

  it('is called by pnpm as it was', () => {
    const npm_config_user_agent = 'pnpm/12.21.0 npm/? node/v20.20.2 linux x64'
    calledBy({ ...root, npm_config_user_agent })
    expect(command('train', '--name', 'a')).toBe('pnpm train --name a')
    calledBy({ npm_package_name: '@flowers/trainer', npm_lifecycle_event: 'export' })
    expect(command('train', '--name', 'a')).toBe('pnpm --filter trainer train --name a')
    calledBy({ npm_execpath: '/home/me/.npm/_npx/1/node_modules/pnpm/bin/pnpm.cjs' })
    expect(command('data', 'audit')).toBe('npx pnpm@12.21.0 --filter trainer data audit')
  })

  it('is called by Node elsewhere, also within another script', () => {
    calledBy({ ...root, npm_lifecycle_event: 'test' })
    vi.spyOn(process, 'argv', 'get').mockReturnValue(['node', '/home/me/bin/trainer.cjs'])
    expect(command('train', '--resume', 'x')).toBe('node bin/trainer.cjs train --resume x')
    vi.restoreAllMocks()
  })
})

it('a path is no option', () => {
  vi.stubEnv('INIT_CWD', '/home/me')
  expect(['/home/me/-x', '/home/me/x', '/x'].map(pathWord)).toEqual(['./-x', 'x', '/x'])
  vi.unstubAllEnvs()
})
