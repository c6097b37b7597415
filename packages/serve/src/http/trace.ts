import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { readTraceparent } from '../observe/trace-context.ts'
import type { RequestTrace, Tracing } from '../observe/tracing.ts'
import { whenOver } from './over.ts'
import { clientClosedRequest } from './requests.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The trace of this request; null when it is not traced. */
    trace: RequestTrace | null
    /** 32 hexadecimal digits of the trace that a person could open; null without one. */
    traceId: string | null
  }
}

/** A span for every request but probes, in the trace of its caller; without `tracing`, only the id of that trace. */
export const trace = fp(traceRequests, { name: 'trace', dependencies: ['requests'], fastify: '5.x' })

function traceRequests(app: FastifyInstance, { tracing }: { tracing: Tracing | null }): void {
  app.decorateRequest('trace', null)
  app.decorateRequest('traceId', null)
  app.addHook('onRequest', (request, reply, done) => {
    const caller = readTraceparent(request.headers['traceparent'])
    request.traceId = caller?.traceId ?? null
    if (tracing && !request.routeOptions.config.probe) {
      const trace = tracing.begin(caller, request.arrived)
      request.trace = trace
      request.traceId = trace.id
      // The logger already has the trace of a caller, but not one that begins here.
      if (!caller && trace.id !== null) request.log = reply.log = request.log.child({ traceId: trace.id })
      whenOver(request, reply, () => {
        const status = reply.raw.writableFinished ? reply.raw.statusCode : clientClosedRequest
        trace.end({ method: request.method, route: request.routeOptions.url ?? null, status })
      })
    }
    done()
  })
  if (tracing) app.addHook('onClose', () => tracing.close())
}
