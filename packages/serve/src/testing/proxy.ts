import { createServer, request, type Agent, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ask, connections } from './ask.ts'

export interface Proxy {
  readonly url: string
  /** Whether the backend of this number is asked. */
  readonly healthy: (backend: number) => boolean
  readonly close: () => void
}

/**
 * A load balancer before several services: each request goes to the next backend whose `/readyz` said 200 when it was
 * last asked, every `checkMs`. As nginx does, it asks another backend only where no connection could be made, so that no
 * request is sent twice; anything else that goes wrong is answered with 502, no healthy backend with 503.
 */
export async function startProxy(backends: readonly string[], checkMs: number): Promise<Proxy> {
  const agent = connections()
  const healthy = backends.map(() => false)
  const check = async (): Promise<void> => {
    await Promise.all(
      backends.map(async (url, index) => {
        healthy[index] = (await ask(url, { path: '/readyz' }, agent)).status === 200
      }),
    )
  }
  await check()
  const timer = setInterval(() => void check(), checkMs)
  let turn = 0
  const server = createServer((incoming, outgoing) => {
    const candidates = backends.map((_, index) => (turn + index) % backends.length).filter((index) => healthy[index])
    turn++
    pass(
      incoming,
      outgoing,
      candidates.map((index) => backends[index]!),
      agent,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    healthy: (backend) => healthy[backend]!,
    close: () => {
      clearInterval(timer)
      agent.destroy()
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Sends a request to the first of `backends` that takes a connection. */
function pass(incoming: IncomingMessage, outgoing: ServerResponse, backends: readonly string[], agent: Agent): void {
  const [backend, ...others] = backends
  if (backend === undefined) return void outgoing.writeHead(503).end()
  const { method, headers, url } = incoming
  const sent = request(new URL(url!, backend), { method, headers, agent }, (response) => {
    outgoing.writeHead(response.statusCode!, response.headers)
    response.pipe(outgoing)
  })
  sent.once('error', (error: NodeJS.ErrnoException) => {
    incoming.unpipe(sent)
    if (error.code === 'ECONNREFUSED') pass(incoming, outgoing, others, agent)
    else if (outgoing.headersSent) outgoing.destroy()
    else outgoing.writeHead(502).end(error.code)
  })
  // Nothing is taken from the client before there is a connection, so that another backend gets all of it.
  sent.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', () => incoming.pipe(sent))
    else incoming.pipe(sent)
  })
}
