import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { solid } from '../testing/pictures.ts'
import { startService, until } from '../testing/service.ts'
import type { RunningService } from '../testing/service.ts'

let service: RunningService
beforeAll(async () => (service = await startService({ FLOWERS_UPLOAD_MEMORY_MB: '4', FLOWERS_BODY_LIMIT_MB: '10' })))
afterAll(() => service.close())

const megabyte = Buffer.alloc(1e6)

/** A client that announces a body of 9 MB and sends what it is told to. */
function client(
  timeoutMs: number,
  type = 'image/jpeg',
): { socket: Socket; answer: () => string; closed: () => boolean } {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  let answer = ''
  let closed = false
  socket.setEncoding('utf8').on('data', (text) => (answer += String(text)))
  socket.on('close', () => (closed = true)).on('error', () => {})
  const head = ['POST /classify HTTP/1.1', 'host: x', `content-type: ${type}`, `x-request-timeout-ms: ${timeoutMs}`]
  socket.write(`${head.join('\r\n')}\r\ncontent-length: 9000000\r\n\r\n`)
  return { socket, answer: () => answer, closed: () => closed }
}

const form = 'multipart/form-data; boundary=b'
const part = '--b\r\ncontent-disposition: form-data; name="img"; filename="a.jpg"\r\n\r\n'

describe('bodies that are being received', () => {
  it.each([
    ['as they are', 'image/jpeg', ''],
    ['in a form', form, part],
  ])('%s may hold so much together; what comes beyond is refused at once', async (_name, type, start) => {
    const [first, second] = [client(60_000, type), client(60_000, type)]
    for (const { socket } of [first, second]) socket.write(Buffer.concat([Buffer.from(start), megabyte]))
    const answer = client(60_000, type)
    answer.socket.write(Buffer.concat([Buffer.from(start), megabyte, megabyte, megabyte]))
    await until(() => [first, second, answer].some(({ answer: said }) => said().includes('SERVICE_OVERLOADED')))
    const refused = [first, second, answer].find(({ answer: said }) => said().includes('SERVICE_OVERLOADED'))!
    expect(refused.answer()).toMatch(/^HTTP\/1\.1 503 /)
    expect(refused.answer()).toMatch(/retry-after: 1\r\n/i)
    for (const { socket } of [first, second, answer]) socket.destroy()
    await until(async () => (await service.metric('flowers_http_requests_in_flight')) === 1)
    const good = await fetch(`${service.url}/classify`, {
      method: 'POST',
      body: Uint8Array.from(await solid('#ff0000')),
    })
    expect(good.status).toBe(200)
  })

  it.each([
    ['as they are', 'image/jpeg', ''],
    ['in a form', form, part],
  ])('%s are let go at the deadline, and the connection is closed a little later', async (_name, type, start) => {
    const late = client(200, type)
    late.socket.write(Buffer.concat([Buffer.from(start), megabyte, megabyte, megabyte]))
    await until(() => late.answer().includes('SERVICE_TOO_LATE'))
    expect(late.answer()).toMatch(/^HTTP\/1\.1 504 /)
    // The bytes of the first count no more: as many fit again.
    const next = client(60_000, type)
    next.socket.write(Buffer.concat([Buffer.from(start), megabyte, megabyte, megabyte]))
    await until(late.closed)
    expect(next.answer()).toBe('')
    next.socket.destroy()
  })
})
