import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { download } from './download.ts'

const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31 + (index >> 8)) & 255))
const sha256 = createHash('sha256').update(content).digest('hex')
type Answer = (request: IncomingMessage, response: ServerResponse) => void

let folder: string
let close: () => Promise<void>

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-download-'))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await close()
  await rm(folder, { recursive: true })
})

/** A server that gives one answer after the other, the last again and again; `ranges` are what it was asked for. */
async function serve(...answers: Answer[]): Promise<{ url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = []
  const server = createServer((request, response) => {
    ranges.push(request.headers.range)
    answers[Math.min(ranges.length, answers.length) - 1]!(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.safetensors`, ranges }
}

const headers = { etag: '"a"', 'content-length': String(content.length) }
const whole: Answer = (_, response) => response.writeHead(200, headers).end(content)
const breaksAt =
  (bytes: number): Answer =>
  (_, response) => {
    response.writeHead(200, headers).write(content.subarray(0, bytes), () => setTimeout(() => response.destroy(), 50))
  }
/** Honours Range if the tag is still the one asked for. */
const ranged =
  (etag: string): Answer =>
  (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    if (start === 0 || request.headers['if-range'] !== etag) {
      response.writeHead(200, { ...headers, etag }).end(content)
      return
    }
    const rest = content.subarray(start)
    response.writeHead(206, { etag, 'content-length': String(rest.length) }).end(rest)
  }

const get = (url: string, change: { sha256?: string | null; bytes?: number | null } = {}) =>
  download({ url, target: join(folder, 'weights'), bytes: content.length, sha256, ...change })
const files = () => readdir(folder)

it('gets a file whole, and tells how far it is', async () => {
  const { url } = await serve(whole)
  const seen: number[] = []
  const target = join(folder, 'weights')
  const hash = await download({
    url,
    target,
    bytes: null,
    sha256: null,
    onProgress: (done, of) => seen.push(done / of!),
  })
  expect(hash).toBe(sha256)
  expect(await readFile(target)).toEqual(content)
  expect(await files()).toEqual(['weights'])
  expect(seen.at(-1)).toBe(1)
})

it('goes on after an interruption where it was', async () => {
  const { url, ranges } = await serve(breaksAt(100_000), ranged('"a"'))
  expect(await get(url)).toBe(sha256)
  expect(ranges).toEqual([undefined, 'bytes=100000-'])
  expect(await readFile(join(folder, 'weights'))).toEqual(content)
})

it.each([
  ['without Range', whole],
  ['that has another file by now', ranged('"b"')],
])('begins anew with a server %s', async (_, second) => {
  const { url, ranges } = await serve(breaksAt(100_000), second)
  expect(await get(url)).toBe(sha256)
  expect(ranges).toHaveLength(2)
  expect(await readFile(join(folder, 'weights'))).toEqual(content)
})

it('keeps what came when the server is gone, and goes on in another process', async () => {
  const { url } = await serve(breaksAt(100_000), (request) => request.socket.destroy())
  await expect(get(url)).rejects.toMatchObject({
    code: 'WEIGHTS_DOWNLOAD',
    message: expect.stringContaining('100000 bytes') as string,
  })
  expect(await files()).toEqual(['weights.part', 'weights.part.etag'])
  await close()
  const again = await serve(ranged('"a"'))
  expect(await get(again.url)).toBe(sha256)
  expect(again.ranges).toEqual(['bytes=100000-'])
})

it('stops at once when it is told to, and keeps what came', async () => {
  const stop = new AbortController()
  const reason = new Error('stopped by the test')
  const { url, ranges } = await serve((_, response) =>
    response.writeHead(200, headers).write(content.subarray(0, 100_000)),
  )
  const target = join(folder, 'weights')
  const stopped = download({
    url,
    target,
    bytes: content.length,
    sha256,
    signal: stop.signal,
    onProgress: () => stop.abort(reason),
  })
  await expect(stopped).rejects.toBe(reason)
  expect(ranges).toHaveLength(1)
  expect(await files()).toEqual(['weights.part', 'weights.part.etag'])
})

it.each([
  ['hash', { sha256: '0'.repeat(64) }, `sha256 ${sha256} instead of 000`],
  ['size', { bytes: 299_999 }, '300000 bytes instead of 299999'],
])('keeps nothing of another %s', async (_, change, mention) => {
  const { url } = await serve(whole)
  await expect(get(url, change)).rejects.toMatchObject({
    code: 'WEIGHTS_CHANGED',
    message: expect.stringContaining(mention) as string,
  })
  expect(await files()).toEqual([])
})

it('says what the server answered', async () => {
  const { url } = await serve((_, response) => response.writeHead(404).end())
  await expect(get(url)).rejects.toMatchObject({
    code: 'WEIGHTS_DOWNLOAD',
    message: expect.stringContaining('answered 404') as string,
  })
})

it('says that it cannot be reached', async () => {
  const { url } = await serve(whole)
  await close()
  await expect(get(url)).rejects.toMatchObject({
    code: 'WEIGHTS_DOWNLOAD',
    message: expect.stringContaining('ECONNREFUSED') as string,
  })
  close = async () => {}
})

it('goes through the proxy of the environment', async () => {
  const { url } = await serve(whole)
  const asked: (string | undefined)[] = []
  const proxy = createServer()
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(request.url)
    const tunnel = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      tunnel.pipe(socket).pipe(tunnel)
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  try {
    vi.stubEnv('http_proxy', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    vi.stubEnv('no_proxy', '')
    expect(await get('http://weights.invalid/model')).toBe(sha256)
    expect(asked).toEqual(['weights.invalid:80'])
  } finally {
    proxy.close()
  }
})
