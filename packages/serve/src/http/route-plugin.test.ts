import fastify from 'fastify'
import type { FastifyPluginAsync, FastifyPluginCallback } from 'fastify'
import fp from 'fastify-plugin'
import { expect, it } from 'vitest'
import { protocolRoutes } from '../open-inference/routes.ts'
import { classifyRoutes } from '../routes/classify.ts'
import { docsRoutes } from '../routes/docs.ts'
import { explainRoutes } from '../routes/explain.ts'
import { pageRoutes } from '../routes/page.ts'
import { access, cors } from './access.ts'
import { connections } from './connections.ts'
import { deadline } from './deadline.ts'
import { drain } from './drain.ts'
import { errors } from './errors.ts'
import { healthRoutes } from './health.ts'
import { metricsRoute } from './metrics.ts'
import { serverTiming } from './server-timing.ts'
import { trace } from './trace.ts'
import { bodyLimits, upload } from './upload.ts'

const needed = ['openapi', 'server-timing', 'errors', 'connections', 'access', 'drain']
const negotiating = [...needed, '@fastify/accepts']

/** Each plugin with those that must be registered before it. */
const order: readonly (readonly [
  plugin: FastifyPluginAsync<never> | FastifyPluginCallback<never>,
  name: string,
  before: readonly string[],
])[] = [
  [trace, 'trace', ['requests']],
  [serverTiming, 'server-timing', ['requests']],
  [cors, 'cors', ['requests', 'trace']],
  [errors, 'errors', ['cors']],
  [connections, 'connections', ['cors']],
  [access, 'access', ['cors', 'errors']],
  [drain, 'drain', ['requests']],
  [deadline, 'deadline', ['requests']],
  [upload, 'upload', ['deadline']],
  [bodyLimits, 'body-limits', ['deadline']],
  [healthRoutes, 'health', needed],
  [metricsRoute, 'metrics', negotiating],
  [pageRoutes, 'page', negotiating],
  [docsRoutes, 'docs', negotiating],
  [classifyRoutes, 'classify', needed],
  [explainRoutes, 'explain', negotiating],
  [protocolRoutes, 'open-inference', needed],
]

const cases = order.flatMap(([plugin, name, before]) => before.map((missing) => ({ plugin, name, before, missing })))

it.each(cases)('$name cannot be registered before $missing', async ({ plugin, name, before, missing }) => {
  const app = fastify()
  for (const each of before) if (each !== missing) await app.register(fp(() => {}, { name: each }))
  const message = `The dependency '${missing}' of plugin '${name}' is not registered`
  await expect(async () => app.register(plugin, {} as never)).rejects.toThrow(message)
})
