import { versions } from 'node:process'
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Engine } from '../engine/models.ts'
import type { Operation } from './openapi/operation.ts'
import type { MetricsRegistry } from '../observe/instruments.ts'
import { routePlugin } from './route-plugin.ts'
import { varyByAccept } from './vary.ts'

/** OpenMetrics, also with the parameter that Prometheus adds: our names are the same under each way of escaping. */
const openMetrics = [
  '',
  ...['allow-utf-8', 'underscores', 'dots', 'values'].map((scheme) => `; escaping=${scheme}`),
].map((parameter) => Registry.OPENMETRICS_CONTENT_TYPE + parameter)

/** `GET /metrics`: instruments, state of the engine, and the usual metrics of process and event loop. */
export const metricsRoute = routePlugin('metrics', addMetrics, '@fastify/accepts')

function addMetrics(
  app: FastifyInstance,
  options: { registry: MetricsRegistry; engine: Engine; version: string },
): void {
  const { registry, engine, version } = options
  collectDefaultMetrics({ register: registry })
  addStateGauges(registry, engine, version)
  app.get('/metrics', { config: { probe: true, access: 'open', operation } }, async (request, reply) => {
    const text = await registry.metrics()
    varyByAccept(reply)
    const type = request.type([Registry.PROMETHEUS_CONTENT_TYPE, ...openMetrics])
    if (type === false || type === Registry.PROMETHEUS_CONTENT_TYPE) {
      return reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(toPlainText(text))
    }
    return reply.type(Registry.OPENMETRICS_CONTENT_TYPE).send(text)
  })
}

/**
 * Turns OpenMetrics into the older text format, which has no exemplars and describes a counter under its whole name.
 * The registry cannot write both: once it writes OpenMetrics, its counters stay renamed.
 */
function toPlainText(openMetrics: string): string {
  return openMetrics
    .replace(/^# HELP (\S+) (.*)\n# TYPE \1 counter$/gm, '# HELP $1_total $2\n# TYPE $1_total counter')
    .replace(/ # \{trace_id="[\da-f]{32}"\} \S+ \S+$/gm, '')
    .replace(/# EOF\n$/, '')
}

const operation: Operation = {
  id: 'metrics',
  tag: 'Health',
  summary: 'Metrics in the text format of Prometheus',
  answer: { 'text/plain': 'text', 'application/openmetrics-text': 'text' },
  errors: [],
}

function addStateGauges(registry: MetricsRegistry, engine: Engine, version: string): void {
  const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['flowers_queue_depth', 'Images that are admitted and wait to be inferred.', () => engine.load.queued],
    ['flowers_queue_age_seconds', 'Age of the oldest admitted image that waits; 0 without one.', () => engine.load.age],
    ['flowers_workers', 'Inference workers of the default model that are warm.', () => engine.load.workers],
    ['flowers_workers_busy', 'Inference workers, of any model, that have views to run.', () => engine.load.busy],
    ['flowers_backlog_seconds', 'Forecast of the thread seconds that admitted images need.', () => engine.load.backlog],
    ['flowers_workers_planned', 'Inference workers of the default model, by plan.', () => engine.plan?.workers ?? 0],
    ['flowers_sessions_bytes', 'Memory for sessions of the default model, by plan.', () => engine.plan?.bytes ?? 0],
    ['flowers_worker_threads', 'Threads of each inference worker, by plan.', () => engine.plan?.threads ?? 0],
    ['flowers_batch_views', 'The most views of a run of the default model, by plan.', () => engine.batch],
    [
      'flowers_cpu_allowance_cores',
      'Cores for the process, by its control group or the system.',
      () => engine.allowance.cores,
    ],
    [
      'flowers_memory_limit_bytes',
      'Memory for the process, by control group or system.',
      () => engine.allowance.memory,
    ],
    ['flowers_ready', 'Whether the service takes work: 1 or 0.', () => Number(engine.ready)],
  ]
  for (const [name, help, read] of gauges) {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read())
        },
      }),
    )
  }
  const labelNames = ['version', 'node'] as const
  const build = new Gauge({
    name: 'flowers_build_info',
    help: '1, with versions as labels.',
    labelNames,
    registers: [registry],
  })
  build.set({ version, node: versions.node }, 1)
}
