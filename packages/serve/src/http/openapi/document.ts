import { STATUS_CODES } from 'node:http'
import { problems, type ProblemCode } from '../../errors.ts'
import { SharedError } from '@flowers/shared/errors'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import type { Access } from '../access.ts'
import { components, problem, protocolError } from '../schemas.ts'
import { requestHeaders, type Content, type Operation } from './operation.ts'

/** The parts of an OpenAPI 3.1 document that this service has. */
export interface OpenApi {
  readonly openapi: '3.1.0'
  readonly info: Readonly<Record<'title' | 'version' | 'summary', string>> & { readonly license: object }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, PathOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly securitySchemes: object }
}

export type Schema = Readonly<Record<string, unknown>>

type MediaTypes = Readonly<Record<string, { readonly schema: Schema; readonly encoding?: object }>>

export interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path' | 'header'
  readonly required: boolean
  readonly description: string
  readonly schema: Schema
}

interface Answer {
  readonly description: string
  readonly headers?: Readonly<Record<string, object>>
  readonly content: MediaTypes
}

export interface PathOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: MediaTypes }
  readonly responses: Readonly<Record<string, Answer>>
}

interface Route {
  readonly method: string
  readonly path: string
  readonly access: Access
  readonly operation: Operation | undefined
}

const pathParameters: Readonly<Record<string, { about: string; schema: Schema }>> = {
  name: { about: 'Name of the model.', schema: { type: 'string' } },
  version: { about: 'Version of the model.', schema: { type: 'string', pattern: '^[1-9][0-9]*$' } },
  code: { about: 'Code of an error.', schema: { type: 'string' } },
  file: { about: 'Name of a file of the page.', schema: { type: 'string' } },
}

/** Nothing, or the client token where the service has one; the admin token. */
const security: Readonly<Record<Access, readonly Readonly<Record<string, readonly string[]>>[]>> = {
  open: [],
  client: [{}, { clientToken: [] }],
  admin: [{ adminToken: [] }],
}

/** Codes that any route may answer with, by its access. */
const commonErrors: Readonly<Record<Access, readonly ProblemCode[]>> = {
  open: ['INTERNAL'],
  client: ['SERVICE_UNAUTHORIZED', 'SERVICE_RATE_LIMITED', 'INTERNAL'],
  admin: ['SERVICE_UNAUTHORIZED', 'SERVICE_FORBIDDEN', 'SERVICE_RATE_LIMITED', 'INTERNAL'],
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The document of all routes, made at the first call. Throws INTERNAL when a route does not say what it is. */
    openapi: () => OpenApi
  }
}

/** Describes the routes that are added after it. */
export const openapi = fp(describeRoutes, { name: 'openapi', fastify: '5.x' })

function describeRoutes(app: FastifyInstance, { version }: { version: string }): void {
  const routes: Route[] = []
  app.addHook('onRoute', ({ method, path, config }) => {
    for (const each of [method].flat()) {
      // HEAD follows GET, OPTIONS is that of CORS.
      if (each === 'HEAD' || each === 'OPTIONS') continue
      routes.push({ method: each, path, access: config?.access ?? 'client', operation: config?.operation })
    }
  })
  let made: OpenApi | undefined
  app.decorate('openapi', () => (made ??= buildDocument(routes, version)))
}

function buildDocument(routes: readonly Route[], version: string): OpenApi {
  const paths: Record<string, Record<string, PathOperation>> = {}
  const tags = new Set<string>()
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    const operation = describe(route)
    operation.tags.forEach((tag) => tags.add(tag))
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation }
  }
  const { schemas } = z.toJSONSchema(components, { io: 'input', uri: schemaPath, unrepresentable: 'any' })
  return {
    openapi: '3.1.0',
    info: {
      title: 'Flowers',
      version,
      summary: 'Names the flower in a photo.',
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...tags].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutAddress(schema)])),
      securitySchemes: {
        clientToken: { type: 'http', scheme: 'bearer', description: 'FLOWERS_TOKEN of the service, where it is set.' },
        adminToken: { type: 'http', scheme: 'bearer', description: 'FLOWERS_ADMIN_TOKEN of the service.' },
      },
    },
  }
}

function describe({ method, path, access, operation }: Route): PathOperation {
  if (!operation) throw new SharedError('INTERNAL', `${method} ${path} has no description.`)
  const { id, tag, summary, about, body } = operation
  // The same operation under several paths is told apart by what the path has more.
  const suffix = path.includes(':version') ? 'OfVersion' : ''
  return {
    operationId: `${id}${suffix}`,
    tags: [tag],
    summary,
    ...(about === undefined ? {} : { description: about }),
    security: security[access],
    parameters: [...inPath(path), ...inQuery(operation), ...inHeaders(operation)],
    ...(body ? { requestBody: { required: body.required, content: mediaTypes(body.content) } } : {}),
    responses: {
      200: { description: 'The answer.', headers: answerHeaders, content: mediaTypes(operation.answer) },
      ...errorAnswers([...operation.errors, ...commonErrors[access]], path),
    },
  }
}

const answerHeaders = {
  'X-Request-Id': { description: 'That of the request, or a new one.', schema: { type: 'string' } },
  'Server-Timing': { description: 'Milliseconds of each stage.', schema: { type: 'string' } },
}

const retryAfter = {
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 } },
}

function inPath(path: string): Parameter[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => {
    const known = pathParameters[name!]
    if (!known) throw new SharedError('INTERNAL', `The parameter ${name} of ${path} has no description.`)
    return { name: name!, in: 'path', required: true, description: known.about, schema: known.schema }
  })
}

function inQuery({ query }: Operation): Parameter[] {
  if (!query) return []
  const { properties = {} } = z.toJSONSchema(query) as {
    properties?: Record<string, Schema & { description?: string }>
  }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: !(query.shape[name] as z.ZodType).safeParse(undefined).success,
    description: description ?? '',
    schema,
  }))
}

function inHeaders({ headers = [] }: Operation): Parameter[] {
  return headers.map((name) => {
    const { about, schema } = requestHeaders[name]
    return { name, in: 'header', required: false, description: about, schema }
  })
}

function errorAnswers(codes: readonly ProblemCode[], path: string): Record<string, Answer> {
  const answers: Record<string, Answer> = {}
  const statuses = [...new Set(codes.map((code) => problems[code].status))].sort((a, b) => a - b)
  for (const status of statuses) {
    const those = [...new Set(codes)].filter((code) => problems[code].status === status)
    const waits = status === 429 || status === 503
    answers[status] = {
      description: `${STATUS_CODES[status]}: ${those.join(', ')}.`,
      ...(waits ? { headers: retryAfter } : {}),
      content: mediaTypes(
        path.startsWith('/v2') ? { 'application/json': protocolError } : { 'application/problem+json': problem },
      ),
    }
  }
  return answers
}

function mediaTypes(content: Readonly<Record<string, Content>>): MediaTypes {
  return Object.fromEntries(
    Object.entries(content).map(([type, each]) => {
      const isForm = typeof each === 'object' && 'images' in each
      return [type, { schema: schemaOf(each), ...(isForm ? { encoding: { img: { contentType: 'image/*' } } } : {}) }]
    }),
  )
}

function schemaOf(content: Content): Schema {
  if (content === 'text') return { type: 'string' }
  // In OpenAPI 3.1 a body of bytes has no schema.
  if (content === 'binary') return {}
  if ('images' in content) {
    const items = { type: 'string', contentMediaType: 'application/octet-stream' }
    const img = { type: 'array', minItems: 1, maxItems: content.images, items }
    return { type: 'object', required: ['img'], properties: { img }, additionalProperties: false }
  }
  const known = components.get(content)
  if (known) return { $ref: schemaPath(known.id) }
  if (content instanceof z.ZodUnion) return { anyOf: content.options.map((option) => schemaOf(option as z.ZodType)) }
  throw new SharedError('INTERNAL', 'A body has a schema without a name.')
}

function schemaPath(id: string): string {
  return `#/components/schemas/${id}`
}

/** A component is addressed by its place in the document. */
function withoutAddress({ $id: _id, $schema: _schema, ...schema }: Schema): Schema {
  return schema
}
