import { photo } from './pictures.ts'
import { ask, connections } from './ask.ts'
import { startProcess } from './process.ts'
import { until } from './service.ts'

export interface ReloadsUnderLoad {
  readonly answered: number
  /** What else came back than 200: status and body. */
  readonly failures: readonly string[]
  /** Bytes that the process had after each reload, when the workers before it had ended. */
  readonly resident: readonly number[]
  readonly failedReloads: number
  readonly exitCode: number | null
}

/** Threads of libvips that come and go. */
const coming = 1

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
  const failures: string[] = []
  let answered = 0
  const resident: number[] = []
  const agent = connections()
  let stopped = false
  const load = Array.from({ length: clients }, async (_, client) => {
    for (let count = client; !stopped; count++) {
      const body = pictures[count % pictures.length]!
      // A slow machine refuses no request at this deadline: a refusal is the fault of a reload.
      const headers = { 'content-type': 'image/jpeg', 'x-request-timeout-ms': '600000' }
      const reply = await ask(service.url, { path: '/classify', method: 'POST', headers, body }, agent)
      if (reply.status === 200) answered++
      else failures.push(`${reply.status} ${reply.body}`)
    }
  })
  // Codecs make their threads with the first pictures.
  await until(() => answered >= clients * pictures.length)
  const { length: threads } = await service.threads()
  let failedReloads = 0
  for (let count = 1; count <= reloads; count++) {
    service.signal('SIGHUP')
    await until(async () => {
      failedReloads = await service.metric(failed)
      return (await service.metric(done)) + failedReloads >= count
    })
    await until(async () => (await service.threads()).length <= threads + coming)
    resident.push(await service.resident())
  }
  stopped = true
  await Promise.all(load)
  agent.destroy()
  return { answered, failures, resident, failedReloads, exitCode: await service.stop() }
}
