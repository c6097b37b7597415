// Runs a file system as a container would, with bubblewrap in place of an engine: read-only, /tmp in memory, a user without
// rights, no capability, no other's processes. Variables, user and entry point are those of the Dockerfile.
//   node deploy/image/sandbox.mjs <folder> [--file Dockerfile] [--env NAME=value] [--mount from:to[:rw]] [--health | -- command]
// SIGTERM and SIGINT reach the first process inside; the exit code is its own.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    file: { type: 'string', default: join(import.meta.dirname, 'serve.Dockerfile') },
    env: { type: 'string', multiple: true, default: [] },
    mount: { type: 'string', multiple: true, default: [] },
    health: { type: 'boolean', default: false },
  },
})
const [folder = '/', ...given] = positionals
const container = lastStage(values.file)
const [uid, gid] = container.user
const command = given.length > 0 ? given : values.health ? container.health : container.entry
const mounts = values.mount.map((mount) => mount.split(':'))

const child = spawn(
  'bwrap',
  [
    '--ro-bind',
    folder,
    '/',
    ...words('--info-fd 3 --tmpfs /tmp --proc /proc --dev /dev'),
    ...mounts.flatMap(([from, to, mode]) => [mode === 'rw' ? '--bind' : '--ro-bind', from, to]),
    ...words(`--unshare-all --share-net --uid ${uid} --gid ${gid} --cap-drop ALL`),
    ...words('--as-pid-1 --new-session --die-with-parent --chdir / --clearenv'),
    ...[...container.variables, ...values.env].flatMap((pair) => ['--setenv', ...pair.split(/=(.*)/s, 2)]),
    '--',
    ...command,
  ],
  {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    // The same user outside, too: what only root may read is not to be read inside.
    ...(process.getuid?.() === 0 ? { uid: Number(uid), gid: Number(gid) } : {}),
  },
)

// bwrap passes no signal on, but says who is the first process inside.
/** @type {Promise<number>} */
const first = new Promise((resolve) => {
  let text = ''
  child.stdio[3]?.on('data', (chunk) => {
    text += chunk
    if (text.includes('}')) resolve(JSON.parse(text)['child-pid'])
  })
})
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM']))
  process.on(name, () => void first.then((pid) => process.kill(pid, name)))
child.once('exit', (code) => (process.exitCode = code ?? 1))

/** @param {string} line */
function words(line) {
  return line.split(' ')
}

/** What the last stage of a Dockerfile says about the container. @param {string} path */
function lastStage(path) {
  const text = readFileSync(path, 'utf8').replaceAll('\\\n', ' ')
  const stage = text.slice(text.lastIndexOf('\nFROM '))
  const one = (/** @type {RegExp} */ pattern) => pattern.exec(stage)?.[1]
  return {
    variables: [...stage.matchAll(/^ENV (.*)$/gm)].flatMap(([, line]) => line.trim().split(/\s+/)),
    user: (one(/^USER (.*)$/m) ?? '0:0').split(':'),
    /** @type {string[]} */
    entry: JSON.parse(one(/^ENTRYPOINT (.*)$/m) ?? '[]'),
    /** @type {string[]} */
    health: JSON.parse(one(/^HEALTHCHECK .*CMD (.*)$/m) ?? '[]'),
  }
}
