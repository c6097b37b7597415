// What every command needs first. Plain Node: it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Progress goes to stderr: stdout belongs to the command's own answer.
 * @param {string} line
 */
export function say(line) {
  console.error(line)
}

/** Ends a command with a sentence, without a stack. */
export class Failure extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/**
 * Installs the packages of the lockfile, unless the last install was of the same one. pnpm comes through npx at the
 * version of `packageManager`, and runs no package's install script.
 */
export function installPackages() {
  const stamp = join(root, 'node_modules', '.installed')
  const pnpm = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager
  const wanted = fingerprint(pnpm, ['pnpm-lock.yaml', 'pnpm-workspace.yaml'])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  say(`Installing the packages of pnpm-lock.yaml with ${pnpm} (about 250 MB on a new machine)`)
  const { status, error } = spawnSync('npx', ['--yes', pnpm, 'install', '--frozen-lockfile'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
    env: { ...process.env, npm_config_update_notifier: 'false' },
  })
  if (error) throw new Failure(`npx could not be run (${error.message}); it comes with npm.`)
  if (status !== 0) throw new Failure('The packages could not be installed: the reason is above.')
  writeFileSync(stamp, wanted)
}

/**
 * Compiles what changed in a project and in those it depends on. A type error is printed but stops nobody from running
 * what was compiled: half-done work elsewhere must not; the check is strict.
 * @param {string} project folder of a tsconfig.json, relative to the root
 * @param {string} output a file that is there once the project is built, relative to the root
 * @returns {boolean} whether it compiled without an error
 */
export function build(project, output) {
  if (!existsSync(join(root, output))) say('Building')
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [compiler, '-b', project], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  })
  if (!existsSync(join(root, output))) throw new Failure('The sources do not compile: the errors are above.')
  if (status !== 0) say('The sources have errors, above; going on with what was compiled')
  return status === 0
}

/** @param {string} pnpm @param {string[]} files */
function fingerprint(pnpm, files) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${pnpm}\n`)
  for (const file of files) hash.update(readFileSync(join(root, file)))
  return `${hash.digest('hex')}\n`
}
