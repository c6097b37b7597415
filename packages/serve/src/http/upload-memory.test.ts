import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { solid } from '../testing/pictures.ts'
import { startService, until, type RunningService } from '../testing/service.ts'
import { sendProblem } from './errors.ts'
import { UploadMemory } from './upload-memory.ts'

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

describe('tensors', () => {
  const infer = (body: Uint8Array, headers: Record<string, string>): Promise<Response> =>
    fetch(`${service.url}/v2/models/tiny/infer`, { method: 'POST', headers, body: Uint8Array.from(body) })
  const overloaded = async (response: Response): Promise<void> => {
    expect(await response.json()).toEqual({
      error: expect.stringMatching(/^SERVICE_OVERLOADED: .*hold more than 4 MB/),
    })
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
  }
  const pixels = (rows: number): { body: Buffer; headers: Record<string, string> } => {
    const bytes = Buffer.alloc(rows * 4 * 3 * 32 * 32)
    const parameters = { binary_data_size: bytes.length }
    const input = { name: 'pixel_values', datatype: 'FP32', shape: [rows, 3, 32, 32], parameters }
    const json = Buffer.from(JSON.stringify({ inputs: [input] }))
    const headers = { 'inference-header-content-length': String(json.length) }
    return { body: Buffer.concat([json, bytes]), headers }
  }

  it('are counted as they are unpacked, and with the copy that is made of them', async () => {
    expect.hasAssertions()
    await overloaded(await infer(gzipSync(Buffer.alloc(6e6)), { 'content-encoding': 'gzip' }))
    const { body, headers } = pixels(250)
    expect(body.length).toBeLessThan(4e6)
    await overloaded(await infer(body, headers))
  })

  it('count no more when they are answered', async () => {
    const { body, headers } = pixels(100)
    for (let time = 0; time < 3; time++) expect((await infer(body, headers)).status).toBe(200)
  })
})

describe('what is held beside the body', () => {
  it('is refused beyond the limit, until others hold less or are over', async () => {
    const app = fastify()
    const memory = new UploadMemory(4e6)
    const releases: (() => void)[] = []
    app.setErrorHandler(sendProblem)
    memory.install(app)
    app.get('/:held/:kept', async (request) => {
      const { held, kept } = request.params as { held: string; kept: string }
      memory.hold(request, Number(held))
      memory.keep(request, Number(kept))
      await new Promise<void>((resolve) => releases.push(resolve))
      return 'done'
    })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    try {
      const first = fetch(`${url}/3000000/1000000`)
      await until(() => releases.length === 1)
      const second = fetch(`${url}/3000000/3000000`)
      await until(() => releases.length === 2)
      expect((await fetch(`${url}/1/1`)).status).toBe(503)
      releases[1]!()
      expect((await second).status).toBe(200)
      const third = fetch(`${url}/3000000/0`)
      await until(() => releases.length === 3)
      for (const release of releases) release()
      expect((await Promise.all([first, third])).map(({ status }) => status)).toEqual([200, 200])
    } finally {
      await app.close()
    }
  })

  it('is not counted when the request is over', async () => {
    const app = fastify()
    const memory = new UploadMemory(4e6)
    memory.install(app)
    let isLate = false
    app.get('/', (request, reply) => {
      reply.raw.once('close', () =>
        setImmediate(() => {
          memory.hold(request, 5e6)
          memory.keep(request, 5e6)
          isLate = true
        }),
      )
      return 'done'
    })
    app.get('/next', (request) => {
      memory.hold(request, 4e6)
      return 'done'
    })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    try {
      expect((await fetch(url)).status).toBe(200)
      await until(() => isLate)
      expect((await fetch(`${url}/next`)).status).toBe(200)
    } finally {
      await app.close()
    }
  })
})
