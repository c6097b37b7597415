import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Engine } from '../engine/models.ts'

/** How often a closing service looks for idle connections, in milliseconds. */
const checkMs = 50

/**
 * Lets the service end as soon as its last request is answered: connections are not kept open while it drains, and
 * those that carry no request (a browser opens some in advance) are closed with it.
 */
export const drain = fp(endWhenAnswered, { name: 'drain', dependencies: ['requests'], fastify: '5.x' })

function endWhenAnswered(app: FastifyInstance, { engine }: { engine: Engine }): void {
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (engine.draining) void reply.header('connection', 'close')
    done()
  })
  let timer: NodeJS.Timeout | undefined
  app.addHook('preClose', (done) => {
    engine.drain()
    timer = setInterval(() => {
      if (app.inFlight() === 0) app.server.closeAllConnections()
    }, checkMs)
    done()
  })
  app.addHook('onClose', (_instance, done) => {
    clearInterval(timer)
    done()
  })
}
