import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, say } from './setup.mjs'

/**
 * Folder of the programs of deploy/check/requirements.lock, installed at the first call. Undefined, with a line, where
 * they cannot be installed.
 */
export function checkTools() {
  const target = join(root, 'deploy', 'check', '.venv')
  const lock = join(root, 'deploy', 'check', 'requirements.lock')
  const stamp = createHash('sha256').update(readFileSync(lock)).digest('hex')
  const script = join(root, 'packages', 'trainer', 'python', 'make_environment.py')
  const { status } = spawnSync('python3', [script, target, lock, `${stamp}\n`], {
    stdio: ['ignore', process.stderr, 'ignore'],
  })
  if (status === 0) return join(target, 'bin')
  say('Not checked: the tools of deploy/check/requirements.lock could not be installed')
  return undefined
}
