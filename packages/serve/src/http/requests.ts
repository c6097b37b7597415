import { problems } from '../errors.ts'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Instruments } from '../observe/instruments.ts'
import { exemplarOf } from '../observe/stopwatch.ts'
import { whenOver } from './over.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** `performance.now()` when the headers had arrived. */
    arrived: number
  }
  interface FastifyInstance {
    /** Requests that are being answered. */
    inFlight: () => number
  }
  interface FastifyContextConfig {
    /** Machines ask it every few seconds, so it is logged at debug only. */
    probe?: boolean
  }
}

/** nginx's status for a request whose client left before the answer. */
export const clientClosedRequest = 499

/** Times, counts and logs every request, unknown paths included, and answers it with its id. */
export const requests = fp(observeRequests, { name: 'requests', fastify: '5.x' })

function observeRequests(app: FastifyInstance, { instruments }: { instruments: Instruments }): void {
  // The objectives are about these routes, so their failures are counted from zero.
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
  app.decorate('inFlight', () => inFlight)
  app.addHook('onRequest', (request, reply, done) => {
    request.arrived = performance.now()
    void reply.header('x-request-id', request.id)
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
}
