import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { connections } from './connections.ts'

const answerTimeoutMs = 1000

/** Larger than what the system takes for a client that does not read. */
const large = Buffer.alloc(64e6)

let app: FastifyInstance
let answerSlow: () => void
const slow = new Promise<string>((resolve) => (answerSlow = () => resolve('slow')))
let sendQuick: () => void
const quickIsReady = new Promise<void>((resolve) => (sendQuick = resolve))

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  app = fastify()
  await app.register(fp(() => {}, { name: 'cors' }))
  await app.register(connections, { config: { answerTimeoutMs } })
  app.get('/slow', () => slow)
  app.get('/quick', { onSend: async () => sendQuick() }, () => 'quick')
  app.get('/large', () => large)
  await app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await app.close()
  vi.useRealTimers()
})

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
  await quickIsReady
  await vi.advanceTimersByTimeAsync(10 * answerTimeoutMs)
  answerSlow()
  await once(socket, 'close')
  expect(text).toMatch(/\r\nslow[^]*\r\nquick$/)
})

it.each([[['/large']], [['/quick', '/large']]])('cuts a client that does not take its answer: %j', async (paths) => {
  const connected = once(app.server, 'connection') as Promise<[Socket]>
  const client = send(...paths).pause()
  const [socket] = await connected
  while (!socket.destroyed) {
    vi.advanceTimersByTime(answerTimeoutMs)
    await setImmediate()
  }
  expect(client.bytesRead).toBeLessThan(large.length)
  client.on('error', () => {}).destroy()
})
