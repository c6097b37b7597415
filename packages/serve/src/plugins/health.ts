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
    throw retryLater(
      'SERVICE_NOT_READY',
      engine.draining ? 'The service is stopping.' : 'The model is being loaded.',
      1,
    )
  })
}
