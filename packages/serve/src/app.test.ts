import { once } from 'node:events'
import { connect } from 'node:net'
import { problems } from './errors.ts'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { stages } from './observe/instruments.ts'
import { logStream } from './observe/log.ts'
import { form, solid } from './testing/pictures.ts'
import { listen, startService, testModels, until, type RunningService } from './testing/service.ts'

let service: RunningService

beforeAll(async () => (service = await startService()))
afterAll(() => service.close())

describe('health', () => {
  it('is alive before it is ready, and ready from the loaded model to the drain', async () => {
    const starting = await listen()
    const ask = async (path: string): Promise<Response> => fetch(`${starting.url}${path}`)
    try {
      expect((await ask('/livez')).status).toBe(200)
      const early = await ask('/readyz')
      expect(early.status).toBe(503)
      expect(early.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(await early.json()).toMatchObject({ code: 'SERVICE_NOT_READY' })
      const picture = await solid('red')
      expect((await fetch(`${starting.url}/classify`, { method: 'POST', body: form(picture) })).status).toBe(503)
      expect(await starting.metric('flowers_ready')).toBe(0)

      await starting.engine.start()
      expect(await (await ask('/readyz')).json()).toEqual({ status: 'ready' })
      expect(await starting.metric('flowers_ready')).toBe(1)

      starting.engine.drain()
      expect((await ask('/readyz')).status).toBe(503)
      expect((await ask('/livez')).status).toBe(200)
      const late = await fetch(`${starting.url}/classify`, { method: 'POST', body: form(picture) })
      expect(late.status).toBe(200)
      expect(late.headers.get('connection')).toBe('close')
    } finally {
      await starting.close()
    }
  })

  it('reports a model that is missing or cannot be run', async () => {
    const missing = await listen({ MODEL: 'oak' })
    await expect(missing.engine.start()).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    await missing.close()
    const nowhere = await listen({ MODELS_DIR: `${testModels}/nowhere` })
    await expect(nowhere.engine.start()).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    await nowhere.close()
  })
})

const isRequest = (line: unknown): boolean => (line as { msg: string }).msg === 'request'

describe('errors', () => {
  const problem = async (response: Response): Promise<unknown> => {
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    return response.json()
  }

  it('answers unknown paths with 404, whatever the method and the body', async () => {
    for (const method of ['GET', 'POST', 'DELETE', 'PUT']) {
      const body = method === 'POST' ? { body: '{', headers: { 'content-type': 'application/json' } } : {}
      const response = await fetch(`${service.url}/nowhere?x=1`, { method, ...body })
      expect(response.status).toBe(404)
      expect(await problem(response)).toMatchObject({ code: 'SERVICE_NOT_FOUND', status: 404 })
    }
  })

  it.each([
    ['GET', '/classify', 'POST'],
    ['PUT', '/classify', 'POST'],
    ['OPTIONS', '/classify', 'POST'],
    ['PROPFIND', '/classify', 'POST'],
    ['POST', '/livez', 'GET, HEAD'],
    ['DELETE', '/metrics', 'GET, HEAD'],
  ])('answers %s %s with 405 and Allow: %s', async (method, path, allow) => {
    const response = await fetch(`${service.url}${path}`, { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe(allow)
    expect(await problem(response)).toMatchObject({ code: 'SERVICE_METHOD', status: 405 })
  })

  it('answers a path that cannot be decoded with 400, and counts, times and logs it', async () => {
    const series = 'flowers_http_request_duration_seconds_count{method="GET",route="none",status="400"}'
    const lines: string[] = []
    const write = vi.spyOn(logStream, 'write').mockImplementation((line) => void lines.push(line))
    const logging = await listen({ FLOWERS_LOG_LEVEL: 'info' })
    const paths = ['/%E0%A4%A', '/%ZZ?x=%', '/classify/%']
    for (const path of paths) {
      const response = await fetch(`${logging.url}${path}`, { headers: { 'x-request-id': 'me-1' } })
      expect([path, response.status]).toEqual([path, 400])
      expect(response.headers.get('x-request-id')).toBe('me-1')
      expect(response.headers.get('server-timing')).toMatch(/^total;dur=\d/)
      expect(await problem(response)).toMatchObject({ code: 'SERVICE_MALFORMED' })
    }
    await until(async () => (await logging.metric(series)) === 3)
    await logging.close()
    write.mockRestore()
    expect(lines.map((line) => JSON.parse(line) as unknown).filter(isRequest)).toEqual(
      paths.map((url) => expect.objectContaining({ url, status: 400, code: 'SERVICE_MALFORMED', requestId: 'me-1' })),
    )
    const inference = await fetch(`${service.url}/v2/models/%ZZ`)
    expect(inference.status).toBe(400)
    expect(await inference.json()).toEqual({ error: expect.stringMatching(/^SERVICE_MALFORMED: /) })
    // What can be decoded is as ever, and so is a query, which the routes read.
    expect((await fetch(`${service.url}/%6Civez?x=%`)).status).toBe(200)
    expect((await fetch(`${service.url}/%25ZZ`)).status).toBe(404)
  })

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 'HTTP/1.1 400 Bad Request', 'SERVICE_MALFORMED'],
    [
      'huge headers',
      `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      'HTTP/1.1 431 Request Header Fields Too Large',
      'SERVICE_HEADERS_TOO_LARGE',
    ],
  ])('answers %s with a problem', async (_name, sent, status, code) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    socket.write(sent)
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await once(socket, 'end')
    const [head, body] = text.split('\r\n\r\n')
    expect(head!.split('\r\n')[0]).toBe(status)
    expect(head).toContain('content-type: application/problem+json')
    expect(JSON.parse(body!)).toMatchObject({ code })
  })

  it('has a page that tells what each code means', async () => {
    const text = await (await fetch(`${service.url}/docs/errors`)).text()
    for (const code of ['IMAGE_BROKEN', 'SERVICE_TOO_LATE', 'MODEL_MISSING'] as const) {
      expect(text).toContain(`${code} (${problems[code].status} `)
      expect(text).toContain(problems[code].remedy)
    }
  })
})

describe('GET /', () => {
  it('tells how to ask', async () => {
    const response = await fetch(`${service.url}/`)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await response.text()).toContain(`curl -F img=@rose.jpg ${service.url}/classify`)
  })
})

describe('GET /metrics', () => {
  it('counts each stage of each image, the views, the requests, and describes model, build and process', async () => {
    const own = await startService()
    try {
      const pictures = await Promise.all(['red', 'lime', 'gray'].map((colour) => solid(colour)))
      for (const picture of pictures) await fetch(`${own.url}/classify`, { method: 'POST', body: form(picture) })
      await fetch(`${own.url}/classify`, { method: 'POST', body: form(Buffer.from('no image')) })

      const response = await fetch(`${own.url}/metrics`)
      expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
      for (const stage of stages) {
        const count = await own.metric(`flowers_stage_duration_seconds_count{stage="${stage}"}`)
        expect([stage, count]).toEqual([stage, stage === 'receive' ? 4 : 3])
        expect(await own.metric(`flowers_stage_duration_seconds_sum{stage="${stage}"}`)).toBeGreaterThan(0)
      }
      const values = {
        'flowers_http_request_duration_seconds_count{method="POST",route="/classify",status="200"}': 3,
        'flowers_http_request_duration_seconds_count{method="POST",route="/classify",status="415"}': 1,
        'flowers_http_request_duration_seconds_bucket{le="60",method="POST",route="/classify",status="200"}': 3,
        'flowers_stage_duration_seconds_bucket{le="0.001",stage="queue"}': 3,
        'flowers_views_used_count{policy="exact"}': 3,
        'flowers_views_used_sum{policy="exact"}': 4 + 4 + 6,
        'flowers_views_used_count{policy="full"}': 0,
        'flowers_view_duration_seconds_count{model="tiny"}': 14,
        'flowers_images_total{result="ok"}': 2,
        'flowers_images_total{result="abstained"}': 1,
        'flowers_images_total{result="IMAGE_UNSUPPORTED"}': 1,
        flowers_queue_depth: 0,
        flowers_http_requests_in_flight: 1,
        'flowers_workers_lost_total{model="tiny"}': 0,
        'flowers_model_info{model="tiny",version="1",architecture="convnext-test"}': 1,
      }
      for (const [series, value] of Object.entries(values))
        expect([series, await own.metric(series)]).toEqual([series, value])
      const text = await response.text()
      expect(text).toMatch(/^flowers_build_info\{version="[\d.]+",node="[\d.]+"\} 1$/m)
      for (const name of [
        'nodejs_eventloop_lag_p99_seconds',
        'process_resident_memory_bytes',
        'flowers_worker_threads',
        'flowers_cpu_allowance_cores',
      ]) {
        expect(text).toMatch(new RegExp(`^${name} [\\d.e-]+$`, 'm'))
      }
      for (const line of text.split('\n').filter((candidate) => candidate.startsWith('# TYPE '))) {
        expect(line).toMatch(/^# TYPE (flowers|process|nodejs)_[a-z0-9_]+ (counter|gauge|histogram)$/)
      }
    } finally {
      await own.close()
    }
  })
})
