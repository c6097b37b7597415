// Latency of a running service, one request at a time: node bench/latency.mjs [requests] [side]
// Pictures are drawn flowers of the given side in pixels; policies take turns, so that noise of the machine hits all alike.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cpus } from 'node:os'

const [requests = 200, side = 640] = process.argv.slice(2).map(Number)
const service = process.env.SERVICE ?? 'http://localhost:3000'
const root = join(import.meta.dirname, '..')
const { drawFlower, drawnSpecies } = await import(
  pathToFileURL(join(root, 'packages/trainer/dist/src/data/drawn-flowers.js')).href
)
const pictures = await Promise.all(
  drawnSpecies.map((/** @type {string} */ species) => drawFlower({ species, size: side, seed: 3, index: 1 })),
)
const policies = ['none', 'exact', 'full']
/** @type {Record<string, { ms: number, views: number }[]>} */
const results = Object.fromEntries(policies.map((policy) => [policy, []]))
let model = ''
for (let index = 0; index < requests + 5; index++) {
  for (const policy of policies) {
    const started = performance.now()
    const response = await fetch(`${service}/classify?tta=${policy}`, {
      method: 'POST',
      body: pictures[index % pictures.length],
      headers: { 'content-type': 'image/jpeg' },
    })
    const answer = /** @type {any} */ (await response.json())
    if (!response.ok) throw new Error(answer.detail)
    model = `${answer.model.name} ${answer.model.version}`
    // The first few warm connections and caches.
    if (index >= 5) results[policy]?.push({ ms: performance.now() - started, views: answer.views.used })
  }
}
console.log(
  `${model}, ${requests} requests a policy, pictures of ${side} px, ${cpus().length} cores (${cpus()[0]?.model})`,
)
for (const [policy, taken] of Object.entries(results)) {
  const sorted = taken.map(({ ms }) => ms).sort((a, b) => a - b)
  const at = (/** @type {number} */ share) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(1)
  const views = taken.reduce((sum, each) => sum + each.views, 0) / taken.length
  console.log(
    `tta=${policy.padEnd(5)}  p50 ${at(0.5)} ms  p95 ${at(0.95)} ms  p99 ${at(0.99)} ms  views ${views.toFixed(2)}`,
  )
}
