// Memory of the service by allocator: node bench/memory.mjs [requests] [rounds]
// Each round starts the service anew with each setting in turn, sends photos of many sizes four at a time, and reads what
// the process holds from /proc. Linux only; jemalloc is Debian's package libjemalloc2.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [requests = 300, rounds = 3] = process.argv.slice(2).map(Number)
const root = join(import.meta.dirname, '..')
const sharp = createRequire(join(root, 'packages/serve/package.json'))('sharp')
const { drawFlower, drawnSpecies } = await import(
  pathToFileURL(join(root, 'packages/trainer/dist/src/data/drawn-flowers.js')).href
)

/** @type {Record<string, Record<string, string>>} */
const settings = {
  'as it is': {},
  'MALLOC_ARENA_MAX=2': { MALLOC_ARENA_MAX: '2' },
  jemalloc: { LD_PRELOAD: 'libjemalloc.so.2' },
}
const sides = [320, 640, 1024, 1600, 2400, 3200]
const flower = await drawFlower({ species: drawnSpecies[0], size: 640, seed: 3, index: 1 })
/** @type {Uint8Array<ArrayBuffer>[]} */
const pictures = await Promise.all(
  sides.map(async (side) => new Uint8Array(await sharp(flower).resize(side, side).jpeg().toBuffer())),
)

/** @type {Record<string, { rss: number, peak: number, ms: number }[]>} */
const results = Object.fromEntries(Object.keys(settings).map((name) => [name, []]))
for (let round = 0; round < rounds; round++) {
  for (const [name, variables] of Object.entries(settings)) results[name]?.push(await measure(variables))
}
console.log(`${requests} requests, four at a time, pictures of ${sides.join(', ')} px; ${rounds} rounds`)
for (const [name, taken] of Object.entries(results)) {
  const list = (/** @type {'rss' | 'peak' | 'ms'} */ key) => taken.map((each) => each[key].toFixed(0)).join(', ')
  console.log(`${name.padEnd(18)}  RSS ${list('rss')} MB  peak ${list('peak')} MB  ${list('ms')} ms a request`)
}

/** @param {Record<string, string>} variables */
async function measure(variables) {
  const port = await freePort()
  const args = [join(root, 'packages/serve/dist/main.js'), '--port', String(port), '--log-level', 'warn']
  const service = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...variables }, stdio: 'inherit' })
  process.once('exit', () => service.kill('SIGKILL'))
  const ended = new Promise((resolve) => service.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(`${url}/readyz`).catch(() => null))?.ok) {
    if (service.exitCode !== null) throw new Error('the service did not start')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const started = performance.now()
  const headers = { 'content-type': 'image/jpeg', 'x-request-timeout-ms': '600000' }
  let sent = 0
  const client = async () => {
    while (sent < requests) {
      const body = pictures[sent++ % pictures.length]
      const response = await fetch(`${url}/classify`, { method: 'POST', body, headers })
      const answer = /** @type {any} */ (await response.json())
      if (!response.ok) throw new Error(answer.detail)
    }
  }
  await Promise.all([client(), client(), client(), client()])
  const ms = (performance.now() - started) / requests
  const status = readFileSync(`/proc/${service.pid}/status`, 'utf8')
  const megabytes = (/** @type {string} */ key) => Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
  const result = { rss: megabytes('VmRSS'), peak: megabytes('VmHWM'), ms }
  service.kill('SIGTERM')
  await ended
  return result
}

/** @returns {Promise<number>} */
function freePort() {
  const server = createServer()
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => resolve(port))
    })
  })
}
