import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import { answerConnection } from './errors.ts'
import { whenOver } from './over.ts'
import { ServiceError } from '../errors.ts'

type ConnectionConfig = Pick<Config, 'headersTimeoutMs' | 'uploadTimeoutMs' | 'keepAliveMs'>

/** The longest time between two looks for connections whose request is late, in milliseconds. */
const checkMs = 1000

/**
 * Options of the server against clients that are slow: headers, whole requests and idle connections have a time each.
 * A connection that sends nothing counts as one whose headers are late.
 */
export function connectionOptions(config: ConnectionConfig): {
  requestTimeout: number
  keepAliveTimeout: number
  http: ServerOptions
} {
  const { uploadTimeoutMs, keepAliveMs } = config
  // Node refuses to start where the headers of a request may come later than the request.
  const headersTimeout = Math.min(config.headersTimeoutMs, uploadTimeoutMs)
  return {
    requestTimeout: uploadTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    http: {
      headersTimeout,
      requestTimeout: uploadTimeoutMs,
      connectionsCheckingInterval: Math.min(checkMs, headersTimeout / 2),
      // Node's own refusal has no body; the hook below has.
      requireHostHeader: false,
    },
  }
}

/**
 * Closes connections whose client does not read its answer, and answers requests that Node would refuse without a body:
 * those without Host, with an expectation other than 100-continue, and CONNECT.
 */
export const connections = fp(closeLateConnections, { name: 'connections', dependencies: ['cors'], fastify: '5.x' })

function closeLateConnections(app: FastifyInstance, { config }: { config: Pick<Config, 'answerTimeoutMs'> }): void {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const fault = raw.httpVersion === '1.1' && raw.headers.host === undefined ? 'Host is missing' : expectation(raw)
    done(fault === null ? undefined : new ServiceError('SERVICE_MALFORMED', `${fault}.`))
  })
  app.addHook('onSend', (request, reply, _payload, done) => {
    let timer: NodeJS.Timeout | undefined
    const start = (): void => void (timer = setTimeout(() => request.raw.socket.destroy(), config.answerTimeoutMs))
    // Behind another answer (pipelining), the client cannot read it yet; Node assigns the socket when its turn comes.
    if (reply.raw.socket === null) reply.raw.once('socket', start)
    else start()
    whenOver(request, reply, () => {
      reply.raw.off('socket', start)
      clearTimeout(timer)
    })
    done()
  })
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    app.server.emit('request', request, response)
  })
  app.server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    answerConnection(new ServiceError('SERVICE_METHOD', 'This is no proxy: there is no CONNECT.'), socket)
  })
}

/** What is wrong with the header Expect (RFC 9110, section 10.1.1), or null. */
function expectation({ headers: { expect } }: IncomingMessage): string | null {
  return expect === undefined || expect.toLowerCase() === '100-continue' ? null : 'Only 100-continue can be expected'
}
