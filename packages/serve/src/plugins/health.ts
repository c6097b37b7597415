import type { FastifyInstance } from 'fastify'
import type { Engine } from '../engine/engine.ts'
import { retryLater } from '../service-error.ts'

/**
 * `GET /livez`: the process answers. `GET /readyz`: the model is loaded and warm, and the service is not stopping.
 * Load is no reason to be not ready: a full queue says so by itself, and readiness that follows it would flap.
 */
export function installHealth(app: FastifyInstance, engine: Engine): void {
  const probe = { config: { probe: true } }
  app.get('/livez', probe, () => ({ status: 'alive' }))
  app.get('/readyz', probe, () => {
    if (engine.ready) return { status: 'ready' }
    throw retryLater('SERVICE_NOT_READY', engine.draining ? 'The service is stopping.' : 'The model is being loaded.', 1)
  })
  // A connection that is kept open would hold up the end of the process, and its client with the wrong instance.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (engine.draining) void reply.header('connection', 'close')
    done()
  })
}
