import { photo } from './pictures.ts'
import { ask, connections } from './ask.ts'
import { startProcess } from './process.ts'
import { until } from './service.ts'

export interface ReloadsUnderLoad {
  /** Requests that were answered while models were reloaded, by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Bytes that the process had after each reload. */
  readonly resident: readonly number[]
  readonly failedReloads: number
  readonly exitCode: number | null
}

/** Reloads the models of a process again and again, while clients ask it one request after the other. */
export async function reloadUnderLoad(options: {
  readonly environment: Record<string, string>
  /** The model that answers. */
  readonly model: string
  readonly reloads: number
  readonly clients: number
}): Promise<ReloadsUnderLoad> {
  const { environment, model, reloads, clients } = options
  const service = await startProcess({ FLOWERS_LOG_LEVEL: 'info', ...environment })
  const pictures = await Promise.all([320, 640, 1280].map((side) => photo(side, side)))
  const done = `flowers_model_reloads_total{model="${model}",result="done"}`
  const failed = `flowers_model_reloads_total{model="${model}",result="failed"}`
  const statuses: Record<string, number> = {}
  const resident: number[] = []
  const agent = connections()
  let stopped = false
  const load = Array.from({ length: clients }, async (_, client) => {
    for (let count = client; !stopped; count++) {
      const body = pictures[count % pictures.length]!
      const headers = { 'content-type': 'image/jpeg' }
      const { status } = await ask(service.url, { path: '/classify', method: 'POST', headers, body }, agent)
      statuses[status] = (statuses[status] ?? 0) + 1
    }
  })
  let failedReloads = 0
  for (let count = 1; count <= reloads; count++) {
    service.signal('SIGHUP')
    await until(async () => {
      failedReloads = await service.metric(failed)
      return (await service.metric(done)) + failedReloads >= count
    })
    resident.push(await service.resident())
  }
  stopped = true
  await Promise.all(load)
  agent.destroy()
  return { statuses, resident, failedReloads, exitCode: await service.stop() }
}
