import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { installConnections } from './connections.ts'

const answerTimeoutMs = 1000

/** Larger than what the system takes for a client that does not read. */
const large = Buffer.alloc(64e6)

let app: FastifyInstance

beforeAll(async () => {
  app = fastify()
  installConnections(app, { answerTimeoutMs, headersTimeoutMs: 60_000, uploadTimeoutMs: 60_000, keepAliveMs: 60_000 })
  app.get('/slow', () => new Promise((resolve) => setTimeout(() => resolve('slow'), 2 * answerTimeoutMs)))
  app.get('/quick', () => 'quick')
  app.get('/large', () => large)
  await app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => app.close())

function send(...paths: string[]): Socket {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  const last = paths.length - 1
  const requests = paths.map(
    (path, place) => `GET ${path} HTTP/1.1\r\nhost: x\r\n${place === last ? 'connection: close\r\n' : ''}\r\n`,
  )
  socket.write(requests.join(''))
  return socket
}

it('gives the client its time from when an answer has the connection, not while it waits behind another', async () => {
  const socket = send('/slow', '/quick')
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(socket, 'close')
  expect(text).toMatch(/\r\nslow[^]*\r\nquick$/)
})

it.each([[['/large']], [['/quick', '/large']]])('cuts a client that does not take its answer: %j', async (paths) => {
  const connected = once(app.server, 'connection') as Promise<[Socket]>
  const client = send(...paths).pause()
  const [socket] = await connected
  await once(socket, 'close')
  expect(client.bytesRead).toBeLessThan(large.length)
  client.on('error', () => {}).destroy()
})
