import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'

/** Plugins that look at routes as they are added, or whose hooks a scope takes over when it begins. */
const beforeRoutes = ['openapi', 'server-timing', 'errors', 'connections', 'access', 'drain']

/** A plugin of routes with a scope of its own. It fails at the start unless everything that every route needs came first. */
export function routePlugin<Options extends object>(
  name: string,
  add: (app: FastifyInstance, options: Options) => void | Promise<void>,
  ...needs: readonly string[]
): FastifyPluginAsync<Options> {
  return fp(async (app: FastifyInstance, options: Options) => add(app, options), {
    name,
    dependencies: [...beforeRoutes, ...needs],
    fastify: '5.x',
    encapsulate: true,
  })
}
