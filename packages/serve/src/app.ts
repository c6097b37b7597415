import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import accepts from '@fastify/accepts'
import fastify, { LogController } from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config.ts'
import { Engine } from './engine/models.ts'
import { thisMachine } from './engine/platform.ts'
import { createInstruments, createRegistry, type MetricsRegistry } from './observe/instruments.ts'
import { logStream } from './observe/log.ts'
import { access, cors } from './http/access.ts'
import { connectionOptions, connections } from './http/connections.ts'
import { drain } from './http/drain.ts'
import { answerConnectionError, errors, routable, sendProblem } from './http/errors.ts'
import { healthRoutes } from './http/health.ts'
import { metricsRoute } from './http/metrics.ts'
import { openapi } from './http/openapi/document.ts'
import { requests } from './http/requests.ts'
import { serverTiming } from './http/server-timing.ts'
import { trace } from './http/trace.ts'
import { UploadMemory } from './http/upload-memory.ts'
import { protocolRoutes } from './open-inference/routes.ts'
import { classifyRoutes } from './routes/classify.ts'
import { docsRoutes } from './routes/docs.ts'
import { explainRoutes } from './routes/explain.ts'
import { pageRoutes } from './routes/page.ts'
import { readTraceparent } from './observe/trace-context.ts'
import { startTracing } from './observe/tracing.ts'

/** The service: an HTTP application and the engine behind it. */
export interface Service {
  readonly app: FastifyInstance
  /** Start it to load the model; closing the application closes it. */
  readonly engine: Engine
  /** Its metrics. */
  readonly registry: MetricsRegistry
}

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

/** A client's own request id, as far as it is safe to log and to send back. */
const requestIdPattern = /^[\w.:-]{1,128}$/

/**
 * Builds the application. It answers probes at once, and images once `engine.start()` has resolved. A plugin registered
 * before one that it depends on rejects with FST_ERR_PLUGIN_DEPENDENCY_NOT_REGISTERED.
 */
export async function buildApp(config: Config, platform = thisMachine()): Promise<Service> {
  const app = fastify({
    logger: { level: config.logLevel, stream: logStream },
    // The plugin `requests` writes one line a request, with its time.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: (request) => {
      const given = request.headers['x-request-id']
      return typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID()
    },
    ...connectionOptions(config),
    // A model with a long name gets 404 like any other that is missing; the limit of the headers bounds the path.
    routerOptions: { maxParamLength: 16_384 },
    // A service that stops still answers what arrives on open connections.
    return503OnClosing: false,
    rewriteUrl: routable,
    frameworkErrors: sendProblem,
    clientErrorHandler: answerConnectionError,
    trustProxy: config.trustedProxies ?? false,
    childLoggerFactory: (logger, bindings, options, raw) => {
      const trace = readTraceparent(raw.headers['traceparent'])
      return logger.child(trace ? { ...bindings, traceId: trace.traceId, parentId: trace.parentId } : bindings, options)
    },
  }) as FastifyInstance
  const registry = createRegistry()
  const instruments = createInstruments(registry)
  const engine = new Engine(config, instruments, app.log, platform)
  app.addHook('onClose', () => engine.close())
  await app.register(accepts)
  await app.register(openapi, { version })
  await app.register(requests, { instruments })
  const tracing = config.otlpEndpoint === null ? null : await startTracing(config.otlpEndpoint, version)
  await app.register(trace, { tracing })
  await app.register(serverTiming)
  await app.register(cors, { config })
  await app.register(errors)
  await app.register(connections, { config })
  await app.register(access, { config })
  await app.register(drain, { engine })
  await app.register(metricsRoute, { registry, engine, version })
  await app.register(healthRoutes, { engine })
  await app.register(pageRoutes, { version, bodyLimitMb: config.bodyLimitMb })
  await app.register(docsRoutes)
  const uploads = new UploadMemory(config.uploadMemoryMb * 1e6)
  await app.register(classifyRoutes, { engine, instruments, uploads, config })
  await app.register(explainRoutes, { engine, instruments, uploads, config })
  await app.register(protocolRoutes, { engine, instruments, uploads, config, version })
  return { app, engine, registry }
}
