import { versions } from 'node:process'
import type { FastifyInstance } from 'fastify'
import { problems } from '../errors.ts'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Engine } from '../engine/models.ts'
import type { Operation } from './openapi/operation.ts'
import type { Instruments, MetricsRegistry } from '../observe/instruments.ts'
import { exemplarOf } from '../observe/stopwatch.ts'
import { whenOver } from './over.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** `performance.now()` when the headers had arrived. */
    arrived: number
  }
  interface FastifyContextConfig {
    /** Asked by machines every few seconds: logged at debug only. */
    probe?: boolean
  }
}

/** nginx's status for a request whose client left before the answer. */
export const clientClosedRequest = 499

/**
 * Times, counts and logs every request, unknown paths included. Call it before other hooks.
 * Gives the number of requests that are being answered.
 */
export function observeRequests(app: FastifyInstance, instruments: Instruments): () => number {
  // Objectives are held on these, so their failures are counted from zero.
  app.addHook('onRoute', ({ method, url, config }) => {
    const errors = config?.operation?.errors ?? []
    if (!errors.includes('SERVICE_OVERLOADED')) return
    const failures = (['INTERNAL', ...errors] as const)
      .map((code) => problems[code].status)
      .filter((code) => code >= 500)
    for (const status of new Set([200, ...failures])) {
      instruments.requestSeconds.zero({ method: String(method), route: url, status: String(status) })
    }
  })
  let inFlight = 0
  app.addHook('onRequest', (request, reply, done) => {
    request.arrived = performance.now()
    instruments.inFlight.set(++inFlight)
    whenOver(request, reply, () => {
      instruments.inFlight.set(--inFlight)
      const seconds = (performance.now() - request.arrived) / 1000
      const status = reply.raw.writableFinished ? reply.raw.statusCode : clientClosedRequest
      const route = request.routeOptions.url ?? 'none'
      instruments.requestSeconds.observe({
        labels: { method: request.method, route, status: String(status) },
        value: seconds,
        exemplarLabels: exemplarOf(request),
      })
      const level = request.routeOptions.config.probe ? 'debug' : 'info'
      const ms = Math.round(seconds * 1e5) / 100
      const { failure: code } = request
      request.log[level](
        { method: request.method, url: request.originalUrl, status, ...(code && { code }), ms },
        'request',
      )
    })
    done()
  })
  return () => inFlight
}

/** `GET /metrics`: instruments, state of the engine, and the usual metrics of process and event loop. */
export function metricsRoute(
  app: FastifyInstance,
  options: { registry: MetricsRegistry; engine: Engine; version: string },
): void {
  const { registry, engine, version } = options
  collectDefaultMetrics({ register: registry })
  addStateGauges(registry, engine, version)
  app.get('/metrics', { config: { probe: true, access: 'open', operation: metrics } }, async (request, reply) => {
    const text = await registry.metrics()
    void reply.header('vary', 'accept')
    if (request.headers.accept?.includes('application/openmetrics-text')) {
      return reply.type(Registry.OPENMETRICS_CONTENT_TYPE).send(text)
    }
    return reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(toPlainText(text))
  })
}

/**
 * OpenMetrics as the older text format, which has no exemplars and describes a counter under its whole name. The
 * registry cannot do both: writing OpenMetrics, it renames its counters for good.
 */
function toPlainText(openMetrics: string): string {
  return openMetrics
    .replace(/^# HELP (\S+) (.*)\n# TYPE \1 counter$/gm, '# HELP $1_total $2\n# TYPE $1_total counter')
    .replace(/ # \{trace_id="[\da-f]{32}"\} \S+ \S+$/gm, '')
    .replace(/# EOF\n$/, '')
}

const metrics: Operation = {
  id: 'metrics',
  tag: 'Health',
  summary: 'Metrics in the text format of Prometheus',
  answer: { 'text/plain': 'text', 'application/openmetrics-text': 'text' },
  errors: [],
}

function addStateGauges(registry: MetricsRegistry, engine: Engine, version: string): void {
  const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['flowers_queue_depth', 'Images that are admitted and wait to be inferred.', () => engine.load.queued],
    [
      'flowers_queue_age_seconds',
      'How long the oldest image that waits to be inferred has waited since it was admitted; 0 when none does.',
      () => engine.load.age,
    ],
    ['flowers_workers', 'Inference workers of the default model that are warm.', () => engine.load.workers],
    ['flowers_workers_busy', 'Inference workers, of any model, that have views to run.', () => engine.load.busy],
    [
      'flowers_backlog_seconds',
      'Seconds of one thread that all admitted images still need, as forecast.',
      () => engine.load.backlog,
    ],
    ['flowers_workers_planned', 'Inference workers of the default model, by plan.', () => engine.plan?.workers ?? 0],
    [
      'flowers_sessions_bytes',
      'Memory that the sessions of the default model need, estimated when they are planned.',
      () => engine.plan?.bytes ?? 0,
    ],
    ['flowers_worker_threads', 'Threads of each inference worker, by plan.', () => engine.plan?.threads ?? 0],
    ['flowers_batch_views', 'The most views of a run of the default model, by plan.', () => engine.batch],
    [
      'flowers_cpu_allowance_cores',
      'Cores that the process may use, by its control group or the system.',
      () => engine.allowance.cores,
    ],
    [
      'flowers_memory_limit_bytes',
      'Memory that the process may use, by its control group or the system.',
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
