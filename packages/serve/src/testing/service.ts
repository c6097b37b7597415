import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { buildApp, type Service } from '../app.ts'
import { readConfig } from '../config.ts'
import { DrivenWorkers } from './driven-workers.ts'

/** Models made for tests; see fixtures/make-models.mjs. `tiny` is the default, `slow` takes 0.05 s a view. */
export const testModels = fileURLToPath(new URL('../../fixtures/models', import.meta.url))

/** The longest deadline: a slow machine refuses nothing for its time. */
export const patient = { FLOWERS_DEFAULT_DEADLINE_MS: '600000' } as const

export interface RunningService extends Service {
  readonly url: string
  readonly workers: DrivenWorkers
  close(): Promise<void>
  /** The value of a series of /metrics, as `name{label="value"}`; undefined when it is not there. */
  metric(series: string): Promise<number | undefined>
}

/** A service on a free port, not yet started: `engine.start()` loads the model. */
export async function listen(environment: Record<string, string> = {}): Promise<RunningService> {
  const settings = { MODELS_DIR: testModels, PORT: '0', FLOWERS_LOG_LEVEL: 'silent', ...patient, ...environment }
  const config = readConfig([], settings)
  const workers = new DrivenWorkers()
  const service = await buildApp(config!, workers.platform)
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 })
  return {
    ...service,
    url,
    workers,
    close: () => service.app.close(),
    metric: async (series) => {
      const text = await (await fetch(`${url}/metrics`)).text()
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `))
      return line === undefined ? undefined : Number(line.slice(series.length + 1))
    },
  }
}

/** A service on a free port that is ready. */
export async function startService(environment: Record<string, string> = {}): Promise<RunningService> {
  const service = await listen(environment)
  await service.engine.start()
  return service
}

/** Waits until `condition` holds, also under fake timers; a test that waits in vain ends by its own time limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(10)
}
