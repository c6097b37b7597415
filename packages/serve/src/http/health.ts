import type { FastifyInstance } from 'fastify'
import type { Engine } from '../engine/models.ts'
import type { Operation } from './openapi/operation.ts'
import { routePlugin } from './route-plugin.ts'
import { healthStatus } from './schemas.ts'
import { retryLater } from '../errors.ts'

/**
 * `GET /livez`: the process answers. `GET /readyz`: the model is loaded and warm, and the service is not stopping.
 * Load is no reason to be not ready: a full queue says so by itself, and readiness that follows it would flap.
 */
export const healthRoutes = routePlugin('health', addProbes)

function addProbes(app: FastifyInstance, { engine }: { engine: Engine }): void {
  const probe = { probe: true, access: 'open' } as const
  app.get('/livez', { config: { ...probe, operation: livez } }, () => ({ status: 'alive' }))
  app.get('/readyz', { config: { ...probe, operation: readyz } }, () => {
    if (engine.ready) return { status: 'ready' }
    throw retryLater(
      'SERVICE_NOT_READY',
      engine.draining ? 'The service is stopping.' : 'The model is being loaded.',
      1,
    )
  })
}

const livez: Operation = {
  id: 'livez',
  tag: 'Health',
  summary: 'Whether the process answers',
  answer: { 'application/json': healthStatus },
  errors: [],
}

const readyz: Operation = {
  id: 'readyz',
  tag: 'Health',
  summary: 'Whether work is taken',
  about: 'The model is loaded and warm, and the service is not stopping.',
  answer: { 'application/json': healthStatus },
  errors: ['SERVICE_NOT_READY'],
}
