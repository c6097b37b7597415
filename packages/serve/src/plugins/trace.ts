import type { FastifyInstance } from 'fastify'
import { readTraceparent } from '../trace-context.ts'
import type { RequestTrace, Tracing } from '../tracing.ts'
import { clientClosedRequest } from './metrics.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The trace of this request; null when nobody traces it. */
    trace: RequestTrace | null
  }
}

/** A span for every request but probes, in the trace of its caller. Call it after the hook that tells `arrived`. */
export function installTrace(app: FastifyInstance, tracing: Tracing | null): void {
  app.decorateRequest('trace', null)
  if (!tracing) return
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.routeOptions.config.probe) {
      const trace = tracing.begin(readTraceparent(request.headers['traceparent']), request.arrived)
      request.trace = trace
      reply.raw.once('close', () => {
        const status = reply.raw.writableFinished ? reply.raw.statusCode : clientClosedRequest
        trace.end({ method: request.method, route: request.routeOptions.url ?? null, status })
      })
    }
    done()
  })
  app.addHook('onClose', () => tracing.close())
}
