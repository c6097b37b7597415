import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { FlowersError, SharedError } from '@flowers/shared/errors'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Problem } from './schemas.ts'
import { ClientGone, ServiceError, problems, type ProblemCode, type ServiceErrorCode } from '../errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The error that the request as a whole was answered with. */
    failure?: ProblemCode
  }
}

const problemType = 'application/problem+json'

/** Where `type` points: a page for each code. */
export const errorPages = '/docs/errors'

/** Codes for the statuses that fastify and its parser give to faulty requests. */
const codesByStatus: Readonly<Record<number, ServiceErrorCode>> = {
  400: 'SERVICE_MALFORMED',
  404: 'SERVICE_NOT_FOUND',
  408: 'SERVICE_SLOW_REQUEST',
  413: 'SERVICE_TOO_LARGE',
  414: 'SERVICE_MALFORMED',
  415: 'SERVICE_MEDIA_TYPE',
  431: 'SERVICE_HEADERS_TOO_LARGE',
}

/** Any error as one of the problems. An error that the request did not cause is INTERNAL, with itself as the cause. */
export function toFlowersError(error: unknown): FlowersError {
  if (error instanceof FlowersError) return error
  const status = (error as Partial<FastifyError> | undefined)?.statusCode ?? 500
  const code = codesByStatus[status]
  return code && error instanceof Error
    ? new ServiceError(code, sentence(error.message), { cause: error })
    : new SharedError('INTERNAL', 'The request failed by a fault of the service.', { cause: error })
}

/** The problem of an error. The remedy follows the detail where the client can do something. */
export function toProblem(error: FlowersError): Problem {
  const code = error.code in problems ? (error.code as ProblemCode) : 'INTERNAL'
  const { title, status, remedy } = problems[code]
  // Faults of the service go to its log, not to its clients.
  const detail =
    status === 500
      ? 'The request failed by a fault of the service; its log has the reason.'
      : `${sentence(error.message)} ${remedy}`
  return { type: `${errorPages}/${code}`, title, status, detail, code }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

/** Answers a request with the problem of an error, and logs what is a fault of the service. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (error instanceof ClientGone) {
    reply.hijack()
    reply.raw.destroy()
    return
  }
  const known = toFlowersError(error)
  const problem = toProblem(known)
  request.failure = problem.code
  if (problem.status === 500) request.log.error({ err: known.cause ?? known, code: known.code }, known.message)
  if (known instanceof ServiceError) reply.headers(known.headers)
  void reply.code(problem.status)
  // Fastify closes the connection after a body of a wrong type, and a client that still sends it would lose the answer.
  void reply.removeHeader('connection')
  closeAfterBody(request, reply)
  if (isProtocol(request.originalUrl))
    void reply.type('application/json').send({ error: `${known.code}: ${problem.detail}` })
  else void reply.type(problemType).send(problem)
}

/**
 * A refusal that comes before the whole body, on a connection that ends with it (Connection: close, as proxies send it):
 * Node would close at once, which resets the connection under a client that is still sending, and the answer is lost.
 * It is closed when the body has arrived (RFC 9112, section 9.6); the timeout of uploads bounds that.
 */
function closeAfterBody({ raw }: FastifyRequest, { raw: answer }: FastifyReply): void {
  const hasBody = Number(raw.headers['content-length'] ?? 0) > 0 || raw.headers['transfer-encoding'] !== undefined
  if (answer.shouldKeepAlive || raw.complete || !hasBody) return
  answer.shouldKeepAlive = true
  const close = (): void => void raw.socket.end()
  answer.once('finish', () => {
    if (raw.complete) close()
    else raw.once('end', close).resume()
  })
}

/** Whether the path belongs to the Open Inference Protocol, which has its own form of errors. */
function isProtocol(url: string): boolean {
  return /^\/v2(?:[/?]|$)/.test(url)
}

/**
 * Answers every error of every route with a problem: unknown paths (404), known paths with another method (405 with
 * Allow), faults in the request, faults of the service.
 */
export const errors = fp(answerErrors, { name: 'errors', dependencies: ['cors'], fastify: '5.x' })

function answerErrors(app: FastifyInstance): void {
  const methods: Methods = new Map()
  app.addHook('onRoute', (route) => {
    const known = methods.get(route.path) ?? { pattern: patternOf(route.path), methods: new Set() }
    for (const method of [route.method].flat()) known.methods.add(method)
    methods.set(route.path, known)
  })
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler((request, reply) => sendProblem(absent(request, methods), request, reply))
  // Before the body is parsed: a body of a wrong type must not hide that nothing is there to take it.
  app.addHook('onRequest', (request, _reply, done) => {
    done(request.is404 ? absent(request, methods) : undefined)
  })
}

/**
 * The path by which a request finds its route: its own, or one without a route. Fastify answers a path that it cannot
 * decode before any hook runs, and that answer would not be counted, logged or timed.
 */
export function routable({ url = '/' }: IncomingMessage): string {
  return isDecodable(url) ? url : '/undecodable'
}

function isDecodable(url: string): boolean {
  if (!url.includes('%')) return true
  try {
    decodeURI(url.split('?')[0]!)
    return true
  } catch {
    return false
  }
}

/** Methods of each path that has a route. */
type Methods = Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>

/** Matches the paths of a route; a parameter is one segment. The route of CORS, `*`, matches no path. */
function patternOf(path: string): RegExp {
  const segments = path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? '[^/]+' : segment.replaceAll(/\W/g, '\\$&')))
  return new RegExp(`^${segments.join('/')}$`)
}

function absent(request: FastifyRequest, routes: Methods): FlowersError {
  if (!isDecodable(request.originalUrl)) {
    return new ServiceError('SERVICE_MALFORMED', 'The path cannot be decoded: a percent sign starts no character.')
  }
  const path = request.url.split('?')[0]!
  const allowed = [...routes.values()]
    .filter(({ pattern }) => pattern.test(path))
    .flatMap(({ methods }) => [...methods])
  if (allowed.length === 0) return new ServiceError('SERVICE_NOT_FOUND', `There is nothing at ${path}.`)
  const allow = allowed.sort().join(', ')
  return new ServiceError('SERVICE_METHOD', `${path} takes ${allow}, not ${request.method}.`, { headers: { allow } })
}

/** Node's errors of a connection, by code; others are a malformed request. */
const connectionErrors: Readonly<Record<string, ServiceErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'SERVICE_SLOW_REQUEST',
  HPE_HEADER_OVERFLOW: 'SERVICE_HEADERS_TOO_LARGE',
}

/** How long a client may take to read such an answer and to close. */
const lingerMs = 1000

/** A connection, with the answer that Node is writing to it. */
interface BusySocket extends Socket {
  readonly _httpMessage?: ServerResponse | null
}

/** Answers bytes that are no HTTP request. */
export function answerConnectionError(error: Error & { code?: string }, socket: BusySocket): void {
  // A second answer in the middle of the first would be read as part of it.
  // oxlint-disable-next-line no-underscore-dangle -- Node tells it nowhere else and reads the same for its own answer
  const isBusy = socket._httpMessage?.headersSent ?? false
  if (error.code === 'ECONNRESET' || !socket.writable || isBusy) {
    socket.destroy()
    return
  }
  const code = connectionErrors[error.code ?? ''] ?? 'SERVICE_MALFORMED'
  answerConnection(new ServiceError(code, 'This is not a complete HTTP request.'), socket)
}

/** Writes an answer to a connection that has no reply object, and ends the connection. */
export function answerConnection(error: FlowersError, socket: Socket): void {
  const problem = toProblem(error)
  const body = JSON.stringify(problem)
  // Closing at once resets the connection while unread bytes of the client remain, and the answer is lost.
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
  socket.on('error', () => socket.destroy())
  socket.resume()
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `content-type: ${problemType}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}
