import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { freePort } from '../scripts/free-port.mjs'

export const root = join(import.meta.dirname, '..')

/**
 * Starts the built service with the models of models/ on a free port and waits until it is ready.
 * @param {Record<string, string>} [variables]
 */
export async function startService(variables = {}) {
  const port = await freePort()
  const args = [join(root, 'packages/serve/dist/main.js'), '--port', String(port), '--log-level', 'warn']
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...variables }, stdio: 'inherit' })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(`${url}/readyz`).catch(() => null))?.ok) {
    if (child.exitCode !== null) throw new Error('the service did not start')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    url,
    pid: Number(child.pid),
    stop: async () => {
      child.kill('SIGTERM')
      await ended
      process.off('exit', kill)
    },
  }
}
