import { createHash, timingSafeEqual } from 'node:crypto'
import fastifyCors from '@fastify/cors'
import rateLimit from '@fastify/rate-limit'
import type { FlowersError } from '@flowers/shared/errors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import { ServiceError } from '../errors.ts'

/** Which requests a route takes: all; those with the client token, where one is set; those with the admin token. */
export type Access = 'open' | 'client' | 'admin'

type AccessConfig = Pick<Config, 'token' | 'adminToken' | 'rateLimit'>

/** Headers of answers that scripts of other origins may read. */
const exposedHeaders = ['Inference-Header-Content-Length', 'Retry-After', 'Server-Timing', 'X-Request-Id']

/**
 * Lets pages of other origins ask. Every plugin that may refuse a request depends on it: a browser shows an answer
 * without these headers to no page, which would see a failed connection in place of the problem.
 */
export const cors = fp(allowOrigins, { name: 'cors', dependencies: ['requests', 'trace'], fastify: '5.x' })

async function allowOrigins(app: FastifyInstance, { config }: { config: Pick<Config, 'corsOrigins'> }): Promise<void> {
  const { corsOrigins } = config
  if (corsOrigins === null) return
  await app.register(fastifyCors, { origin: corsOrigins, exposedHeaders, maxAge: 600, strictPreflight: false })
}

/** Limits the rate of an address, then checks tokens, so that guesses of a token count. */
export const access = fp(limitAccess, { name: 'access', dependencies: ['cors', 'errors'], fastify: '5.x' })

async function limitAccess(app: FastifyInstance, { config }: { config: AccessConfig }): Promise<void> {
  if (config.rateLimit !== null) {
    const max = config.rateLimit
    await app.register(rateLimit, {
      global: false,
      max,
      timeWindow: '1 minute',
      allowList: (request) => request.is404 || accessOf(request) === 'open',
      errorResponseBuilder: () =>
        new ServiceError('SERVICE_RATE_LIMITED', `More than ${max} requests came in a minute.`),
    })
    app.addHook('onRequest', app.rateLimit())
  }
  const tokens = { client: config.token, admin: config.adminToken }
  app.addHook('onRequest', (request, _reply, done) => {
    done(request.is404 ? undefined : refusal(accessOf(request), request.headers.authorization, tokens))
  })
}

function accessOf(request: FastifyRequest): Access {
  return request.routeOptions.config.access ?? 'client'
}

/** Why a request is refused, or undefined. The admin token also opens what the client token opens. */
function refusal(
  access: Access,
  authorization: string | undefined,
  tokens: { readonly client: string | null; readonly admin: string | null },
): FlowersError | undefined {
  if (access === 'open' || (access === 'client' && tokens.client === null)) return undefined
  if (access === 'admin' && tokens.admin === null) {
    return new ServiceError('SERVICE_FORBIDDEN', 'This service has no token of administration.')
  }
  const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
  if (given !== undefined) {
    // Both comparisons always run, so that the time tells nothing.
    const isAdmin = sameToken(given, tokens.admin)
    const isClient = sameToken(given, tokens.client)
    if (isAdmin || (isClient && access === 'client')) return undefined
    if (isClient) return new ServiceError('SERVICE_FORBIDDEN', 'The token of clients does not open administration.')
  }
  const detail = given === undefined ? 'The request has no token.' : 'The token is not that of this service.'
  return new ServiceError('SERVICE_UNAUTHORIZED', detail, {
    headers: { 'www-authenticate': `Bearer realm="flowers"${given === undefined ? '' : ', error="invalid_token"'}` },
  })
}

/** Compares by hashes of one length, in a time that does not depend on where they differ. */
function sameToken(given: string, wanted: string | null): boolean {
  return timingSafeEqual(hash(given), hash(wanted ?? '')) && wanted !== null
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
