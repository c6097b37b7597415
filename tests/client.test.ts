import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FlowersClient, ProblemError } from '@flowers/client/client'
import { solid } from '@flowers/serve/testing/pictures'
import { startService, type RunningService } from '@flowers/serve/testing/service'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

let service: RunningService
let client: FlowersClient

beforeAll(async () => {
  service = await startService({ FLOWERS_TOKEN: 'client-1' })
  client = new FlowersClient({ baseUrl: service.url, token: 'client-1' })
})
afterAll(() => service.close())

const picture = async (colour: string): Promise<Blob> => new Blob([Uint8Array.from(await solid(colour))])

describe('FlowersClient', () => {
  it('names the flower in one image, with what it is asked for', async () => {
    const answer = await client.classify(await picture('#ff0000'), {
      tta: 'none',
      topK: 2,
      model: 'tiny',
      timeoutMs: 60_000,
    })
    expect(answer.predictions.map(({ label }) => label)).toEqual(['red', 'yellow'])
    expect(answer.views).toEqual({ used: 1, of: 6, policy: 'none' })
  })

  it('says whether fewer views will do', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch')
    const own = new FlowersClient({ baseUrl: service.url, token: 'client-1' })
    await own.classify(await picture('#ff0000'), { tta: 'exact', allowStepDown: true })
    const [request] = fetched.mock.calls[0]!
    fetched.mockRestore()
    expect((request as Request).url).toMatch(/\/classify\?tta=exact&allow_step_down=true$/)
  })

  it('gives an answer or a problem for each of several images', async () => {
    const [first, second] = await client.classifyAll([await picture('#0000ff'), new Blob(['no image'])])
    expect(first).toMatchObject({ set: ['blue'] })
    expect(second).toMatchObject({ code: 'IMAGE_UNSUPPORTED' })
    expect(await client.classifyAll([await picture('#00ff00')])).toMatchObject([{ set: ['green'] }])
  })

  it('shows where the model looked, for the classes that are named', async () => {
    const { maps, height, width } = await client.explain(await picture('#ff0000'), { labels: ['blue', 'red'] })
    expect(maps.map(({ label }) => label)).toEqual(['blue', 'red'])
    expect(maps[1]!.values).toHaveLength(height * width)
    expect(Math.min(...maps[1]!.values)).toBeGreaterThan(Math.max(...maps[0]!.values))
    await expect(client.explain(await picture('#ff0000'), { labels: ['oak'] })).rejects.toMatchObject({
      problem: { code: 'SERVICE_PARAMETER' },
    })
    const [best] = (await client.explain(await picture('#00ff00'))).maps
    expect(best!.label).toBe('green')
  })

  it('rejects with the problem of a refusal', async () => {
    const broken = client.classify(new Blob(['no image']))
    await expect(broken).rejects.toThrow(ProblemError)
    await expect(broken).rejects.toMatchObject({
      problem: { status: 415, code: 'IMAGE_UNSUPPORTED' },
      retryAfter: null,
    })
    await expect(client.classify(await picture('red'), { timeoutMs: 0 })).rejects.toMatchObject({
      problem: { code: 'SERVICE_PARAMETER' },
    })
    const stranger = new FlowersClient({ baseUrl: service.url })
    await expect(stranger.classify(await picture('red'))).rejects.toMatchObject({
      problem: { code: 'SERVICE_UNAUTHORIZED' },
    })
  })

  const strangers = [
    { status: 502, type: 'text/html', body: '<html><h1>502 Bad Gateway</h1></html>', retryAfter: null },
    { status: 502, type: 'text/html', body: '', retryAfter: null },
    { status: 413, type: 'text/html', body: '<html><h1>413</h1></html>', retryAfter: null },
    { status: 503, type: 'application/json', body: '{"message":"no upstream"}', retryAfter: 7 },
    { status: 504, type: 'application/json', body: 'null', retryAfter: null },
  ]
  it.each(strangers)('rejects with a problem of the status where a proxy answers $status $body', async (stranger) => {
    const { status, type, body, retryAfter } = stranger
    const proxy = createServer((request, response) => {
      const wait = retryAfter === null ? {} : { 'retry-after': String(retryAfter) }
      response.writeHead(status, { 'content-type': type, 'content-length': body.length, ...wait })
      request.resume().once('end', () => response.end(body))
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const through = new FlowersClient({ baseUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` })
    try {
      const image = await picture('red')
      for (const asked of [through.classify(image), through.classifyAll([image]), through.explain(image)]) {
        const error: unknown = await asked.catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(ProblemError)
        expect(error).toMatchObject({
          message: expect.stringContaining(`HTTP ${status}`),
          problem: { type: 'about:blank', title: expect.stringMatching(/./), status, code: null },
          retryAfter,
        })
      }
    } finally {
      proxy.close()
    }
  })

  it('rejects where an answer has no body, and takes no date for seconds', async () => {
    const answers: (readonly [number, Record<string, string>])[] = [
      [200, {}],
      [503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }],
    ]
    for (const [status, headers] of answers) {
      const proxy = createServer((request, response) => {
        response.writeHead(status, { 'content-length': 0, ...headers })
        request.resume().once('end', () => response.end())
      })
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
      const through = new FlowersClient({ baseUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` })
      try {
        const image = await picture('red')
        for (const asked of [through.classify(image), through.explain(image)]) {
          const error: unknown = await asked.catch((reason: unknown) => reason)
          if (status === 200) expect(error).toMatchObject({ name: 'TypeError', message: 'The answer is empty.' })
          else expect(error).toMatchObject({ name: 'ProblemError', retryAfter: null })
        }
      } finally {
        proxy.close()
      }
    }
  })

  it('ends a request by a signal', async () => {
    const signal = AbortSignal.abort()
    await expect(client.classify(await picture('red'), { signal })).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('asks every other route by the types of the document', async () => {
    const { data } = await client.http.GET('/v2/models/{name}', { params: { path: { name: 'tiny' } } })
    expect(data?.inputs.map(({ name }) => name)).toEqual(['pixel_values', 'image'])
    const { error, response } = await client.http.GET('/v2/models/{name}', { params: { path: { name: 'oak' } } })
    expect(response.status).toBe(404)
    expect(error?.error).toMatch(/^MODEL_MISSING: /)
  })
})
