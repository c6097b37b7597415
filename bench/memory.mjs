// Memory of the service by allocator: node bench/memory.mjs [requests] [rounds]
// Each round starts the service anew with each setting in turn, sends photos of many sizes four at a time, and reads what
// the process holds from /proc. Linux only; jemalloc is Debian's package libjemalloc2.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, startService } from './service.mjs'

const [requests = 300, rounds = 3] = process.argv.slice(2).map(Number)
const sharp = createRequire(join(root, 'packages/serve/package.json'))('sharp')
const { drawFlower, drawnSpecies } = await import(
  pathToFileURL(join(root, 'packages/trainer/dist/drawn/drawn-flowers.js')).href
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
  const service = await startService(variables)
  const headers = { 'content-type': 'image/jpeg', 'x-request-timeout-ms': '600000' }
  const started = performance.now()
  let sent = 0
  const client = async () => {
    while (sent < requests) {
      const body = pictures[sent++ % pictures.length] ?? null
      const response = await fetch(`${service.url}/classify`, { method: 'POST', body, headers })
      const answer = /** @type {any} */ (await response.json())
      if (!response.ok) throw new Error(answer.detail)
    }
  }
  await Promise.all([client(), client(), client(), client()])
  const ms = (performance.now() - started) / requests
  const status = readFileSync(`/proc/${service.pid}/status`, 'utf8')
  const megabytes = (/** @type {string} */ key) => Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
  await service.stop()
  return { rss: megabytes('VmRSS'), peak: megabytes('VmHWM'), ms }
}
