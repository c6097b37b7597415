import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { quarters } from './testing/pictures.ts'
import { startProcess } from './testing/process.ts'
import { until } from './testing/service.ts'

const reloads = 20
const clients = 4

/** After so many the allocator has what it needs for two sets of workers. */
const settled = 5

/** Growth of the resident memory over the other reloads that passes, in bytes. */
const tolerance = 40e6

/** The model that is shipped: 13.5 MB, two copies of it for a moment with every reload. */
it(`fails no request over ${reloads} reloads under load, and keeps its memory`, async () => {
  const models = fileURLToPath(new URL('../../../models', import.meta.url))
  const service = await startProcess({ MODELS_DIR: models, FLOWERS_LOG_LEVEL: 'info' })
  const resident = async (): Promise<number> =>
    1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${service.pid}/status`, 'utf8'))![1])
  const metrics = async (): Promise<string> => (await fetch(`${service.url}/metrics`)).text()
  const done = async (): Promise<number> =>
    Number(/^flowers_model_reloads_total\{.*result="done"\} (\d+)$/m.exec(await metrics())?.[1] ?? 0)
  let stopped = false
  const statuses = new Map<number, number>()
  const load = Array.from({ length: clients }, async (_, client) => {
    for (let count = 0; !stopped; count++) {
      const body = Uint8Array.from(await quarters(client * 1000 + count))
      const { status } = await fetch(`${service.url}/classify`, { method: 'POST', body })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })
  const memory: number[] = []
  for (let count = 1; count <= reloads; count++) {
    service.signal('SIGHUP')
    await until(async () => (await done()) === count)
    memory.push(await resident())
  }
  stopped = true
  await Promise.all(load)
  console.log(
    `${statuses.get(200)} answers; resident MB after each reload: ${memory.map((bytes) => Math.round(bytes / 1e6)).join(' ')}`,
  )
  expect([...statuses.keys()]).toEqual([200])
  expect(await metrics()).not.toContain('result="failed"')
  const [early, late] = [memory.slice(settled - 2, settled + 3), memory.slice(-5)].map((some) => Math.min(...some))
  expect(late! - early!).toBeLessThan(tolerance)
  expect(await service.stop()).toBe(0)
})
