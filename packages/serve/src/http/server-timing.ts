import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** Milliseconds of stages, by name, for `Server-Timing`. */
    stageTimes: Readonly<Record<string, number>>
  }
}

/**
 * `Server-Timing` (W3C) on every answer to a request that could be read: `total` from the headers of the request to
 * those of the answer, and the stages of an image where there was one.
 */
export const serverTiming = fp(timeAnswers, { name: 'server-timing', dependencies: ['requests'], fastify: '5.x' })

function timeAnswers(app: FastifyInstance): void {
  app.decorateRequest('stageTimes')
  app.addHook('onSend', (request, reply, _payload, done) => {
    const times = { ...request.stageTimes, total: performance.now() - request.arrived }
    const metrics = Object.entries(times).map(([name, ms]) => `${name};dur=${Math.round(ms * 100) / 100}`)
    void reply.header('server-timing', metrics.join(', '))
    done()
  })
}
