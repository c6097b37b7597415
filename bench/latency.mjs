// Latency of the service, one request at a time, and how much of a core a request takes:
//   node bench/latency.mjs [requests] [side]        starts the built service; SERVICE=http://host:port names a running one
//   node bench/latency.mjs [requests] [side] write  keeps the figures in docs/capacity.json, for docs/scaling.md
// Pictures are drawn flowers of the given side in pixels; policies take turns, so that noise of the machine hits all alike.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, startService } from './service.mjs'

const [requests = 200, side = 640] = process.argv.slice(2).map(Number)
const own = process.env.SERVICE ? undefined : await startService()
const service = process.env.SERVICE ?? own?.url
const { drawFlower, drawnSpecies } = await import(
  pathToFileURL(join(root, 'packages/trainer/dist/drawn/drawn-flowers.js')).href
)
const pictures = await Promise.all(
  drawnSpecies.map((/** @type {string} */ species) => drawFlower({ species, size: side, seed: 3, index: 1 })),
)
const policies = ['none', 'exact', 'full']
/** Requests of one policy before it is the next one's turn. */
const turn = 5
/** @type {Record<string, { ms: number[], views: number, cpuSeconds: number }>} */
const results = Object.fromEntries(policies.map((policy) => [policy, { ms: [], views: 0, cpuSeconds: 0 }]))
let model = ''
// The first turns warm connections and caches.
for (let index = -turn; index < requests; index += turn) {
  for (const policy of policies) {
    const before = await cpuSeconds()
    const taken = []
    for (let each = 0; each < turn; each++)
      taken.push(await ask(policy, pictures[(index + turn + each) % pictures.length]))
    const used = (await cpuSeconds()) - before
    const result = results[policy]
    if (index < 0 || !result) continue
    result.ms.push(...taken.map(({ ms }) => ms))
    result.views += taken.reduce((sum, { views }) => sum + views, 0)
    result.cpuSeconds += used
  }
}
await own?.stop()

const figures = Object.fromEntries(
  Object.entries(results).map(([policy, { ms, views, cpuSeconds: cpu }]) => {
    const sorted = ms.sort((a, b) => a - b)
    const at = (/** @type {number} */ share) =>
      round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN, 1)
    return [
      policy,
      {
        p50Ms: at(0.5),
        p95Ms: at(0.95),
        p99Ms: at(0.99),
        views: round(views / ms.length, 2),
        cpuMs: round((cpu / ms.length) * 1000, 1),
      },
    ]
  }),
)
const cpu = `${cpus().length} cores (${cpus()[0]?.model})`
console.log(`${model}, ${requests} requests a policy, pictures of ${side} px, ${cpu}`)
for (const [policy, { p50Ms, p95Ms, p99Ms, views, cpuMs }] of Object.entries(figures))
  console.log(
    `tta=${policy.padEnd(5)}  p50 ${p50Ms} ms  p95 ${p95Ms} ms  p99 ${p99Ms} ms  views ${views}  of a core ${cpuMs} ms`,
  )
if (process.argv.includes('write')) {
  const date = new Date().toISOString().slice(0, 10)
  const file = join(root, 'docs', 'capacity.json')
  writeFileSync(file, `${JSON.stringify({ date, cpu, model, requests, side, policies: figures }, null, 2)}\n`)
}

/** @param {string} policy @param {Uint8Array<ArrayBuffer> | undefined} body */
async function ask(policy, body) {
  const started = performance.now()
  const headers = { 'content-type': 'image/jpeg', 'x-request-timeout-ms': '600000' }
  const response = await fetch(`${service}/classify?tta=${policy}`, { method: 'POST', body: body ?? null, headers })
  const answer = /** @type {any} */ (await response.json())
  if (!response.ok) throw new Error(answer.detail)
  model = `${answer.model.name} ${answer.model.version}`
  return { ms: performance.now() - started, views: answer.views.used }
}

/** Of all cores together, since the service started. */
async function cpuSeconds() {
  const text = await (await fetch(`${service}/metrics`)).text()
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1])
}

/** @param {number} value @param {number} digits */
function round(value, digits) {
  return Number(value.toFixed(digits))
}
