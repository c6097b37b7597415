import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import fastify, { LogController } from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config.ts'
import { Engine } from './engine/models.ts'
import { createInstruments, createRegistry } from './observe/instruments.ts'
import type { MetricsRegistry } from './observe/instruments.ts'
import { logStream } from './observe/log.ts'
import { describeRoutes } from './http/openapi/document.ts'
import type { OpenApi } from './http/openapi/document.ts'
import { installAccess, installCors } from './http/access.ts'
import { connectionOptions, installConnections } from './http/connections.ts'
import { installDrain } from './http/drain.ts'
import { answerConnectionError, installErrors, routable, sendProblem } from './http/errors.ts'
import { installHealth } from './http/health.ts'
import { metricsRoute, observeRequests } from './http/metrics.ts'
import { UploadMemory } from './http/upload-memory.ts'
import { installTrace } from './http/trace.ts'
import { installServerTiming } from './http/server-timing.ts'
import { classifyRoutes } from './routes/classify.ts'
import { docsRoutes } from './routes/docs.ts'
import { explainRoutes } from './routes/explain.ts'
import { pageRoutes } from './routes/page.ts'
import { protocolRoutes } from './open-inference/routes.ts'
import { readTraceparent } from './observe/trace-context.ts'
import { startTracing } from './observe/tracing.ts'

/** The service: an HTTP application and the engine behind it. */
export interface Service {
  readonly app: FastifyInstance
  /** Start it to load the model; closing the application closes it. */
  readonly engine: Engine
  /** Requests that are being answered. */
  readonly inFlight: () => number
  /** Its metrics. */
  readonly registry: MetricsRegistry
  /** The OpenAPI document of its routes. */
  readonly openapi: () => OpenApi
}

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

/** A client's own request id, as far as it is safe to log and to send back. */
const requestIdPattern = /^[\w.:-]{1,128}$/

/** Builds the application. It answers probes at once, and images once `engine.start()` has resolved. */
export async function buildApp(config: Config): Promise<Service> {
  const app = fastify({
    logger: { level: config.logLevel, stream: logStream },
    // One line a request, with its time, is written by the metrics.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: (request) => {
      const given = request.headers['x-request-id']
      return typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID()
    },
    ...connectionOptions(config),
    // A model of a long name is missing like any other: 404. The limit of the headers bounds it.
    routerOptions: { maxParamLength: 16_384 },
    // While stopping, what still arrives on open connections is answered as ever.
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
  const engine = new Engine(config, instruments, app.log)
  app.addHook('onClose', () => engine.close())
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id)
    done()
  })
  const openapi = describeRoutes(app, version)
  const inFlight = observeRequests(app, instruments)
  installTrace(app, config.otlpEndpoint === null ? null : await startTracing(config.otlpEndpoint, version))
  installServerTiming(app)
  await installCors(app, config)
  installErrors(app)
  installConnections(app, config)
  await installAccess(app, config)
  metricsRoute(app, { registry, engine, version })
  installHealth(app, engine)
  installDrain(app, { engine, inFlight })
  const uploads = new UploadMemory(config.uploadMemoryMb * 1e6)
  pageRoutes(app, { version, bodyLimitMb: config.bodyLimitMb })
  docsRoutes(app, openapi)
  await app.register(classifyRoutes, { engine, instruments, uploads, config })
  await app.register(explainRoutes, { engine, instruments, uploads, config })
  await app.register(protocolRoutes, { engine, instruments, uploads, config, version })
  return { app, engine, inFlight, registry, openapi }
}
