// Runs the file system made by root.mjs as a container would, with bubblewrap in place of an engine: read-only, /tmp in
// memory, a user without rights, no capability, its own processes and no other's.
//   node deploy/image/sandbox.mjs <folder> [VARIABLE=value ...]
// Variables, user and entry point are those of serve.Dockerfile. Signals reach the init.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What the last stage of a Dockerfile says about the container. @param {string} path */
export function containerOf(path) {
  const text = readFileSync(path, 'utf8').replaceAll('\\\n', ' ')
  const stage = text.slice(text.lastIndexOf('\nFROM '))
  const only = (/** @type {string} */ name) => new RegExp(`^${name} (.*)$`, 'm').exec(stage)?.[1] ?? ''
  const health = /HEALTHCHECK .*CMD (\[.*\])/.exec(stage)?.[1] ?? '[]'
  return {
    /** @type {string[]} */
    variables: [...stage.matchAll(/^ENV (.*)$/gm)].flatMap(([, line]) => line.split(/\s+/)),
    user: only('USER').split(':'),
    /** @type {string[]} */
    entry: JSON.parse(only('ENTRYPOINT')),
    /** @type {string[]} */
    health: JSON.parse(health),
  }
}

/**
 * The arguments of bwrap for a command in the file system at `root`.
 * @param {string} root @param {string[]} command @param {string[]} variables each `NAME=value`; later ones win
 * @param {string[]} [user] numbers of user and group @param {string[]} [mounts] further arguments, such as --ro-bind A B
 */
export function sandboxArguments(root, command, variables, user = ['10001', '10001'], mounts = []) {
  return [
    ...['--ro-bind', root, '/', '--tmpfs', '/tmp', '--proc', '/proc', '--dev', '/dev', ...mounts],
    ...['--unshare-all', '--share-net', '--uid', user[0], '--gid', user[1], '--cap-drop', 'ALL'],
    ...['--as-pid-1', '--new-session', '--die-with-parent', '--clearenv', '--chdir', '/'],
    ...variables.flatMap((pair) => ['--setenv', pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    '--',
    ...command,
  ]
}

/**
 * Starts the command of {@link sandboxArguments}. bwrap passes no signal on, so `signal` sends it to the first process
 * inside.
 * @param {string[]} args @param {import('node:child_process').StdioOptions} [stdio] of the streams 0 to 2
 */
export function startSandbox(args, stdio = 'inherit') {
  const streams = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio]
  const child = spawn('bwrap', ['--info-fd', '3', ...args], { stdio: [...streams, 'pipe'], ...user })
  /** @type {Promise<number>} */
  const first = new Promise((resolve) => {
    let text = ''
    child.stdio[3]?.on('data', (chunk) => (text += chunk)).on('end', () => resolve(JSON.parse(text)['child-pid']))
  })
  return {
    child,
    /** @param {NodeJS.Signals} name */
    signal: async (name) => process.kill(await first, name),
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder, ...variables] = process.argv.slice(2)
  const container = containerOf(join(import.meta.dirname, 'serve.Dockerfile'))
  const { child, signal } = startSandbox(
    sandboxArguments(folder, container.entry, [...container.variables, ...variables], container.user),
  )
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(name, () => void signal(name))
  child.once('exit', (code) => (process.exitCode = code ?? 1))
}
