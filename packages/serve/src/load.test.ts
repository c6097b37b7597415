import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { form, solid } from './testing/pictures.ts'
import { startService, until } from './testing/service.ts'
import type { RunningService } from './testing/service.ts'

/** What the service does when there is more work than it can do, when clients leave, and when workers stop. */
let service: RunningService
let red: Buffer

beforeAll(async () => {
  service = await startService({ MODEL: 'slow', FLOWERS_WORKERS: '1', FLOWERS_QUEUE_LIMIT: '3' })
  red = await solid('#ff0000')
})
afterAll(() => service.close())
afterEach(async () => {
  vi.restoreAllMocks()
  await until(() => idle())
})

async function classify(init: RequestInit = {}, path = '/classify?tta=full'): Promise<Response> {
  return fetch(`${service.url}${path}`, { method: 'POST', body: form(red), ...init })
}

/** No image is queued or inferred, and no request but this one is being answered. */
async function idle(): Promise<boolean> {
  const gauges = ['flowers_queue_depth', 'flowers_workers_busy', 'flowers_http_requests_in_flight']
  return (await Promise.all(gauges.map((gauge) => service.metric(gauge)))).join() === '0,0,1'
}

const viewsRun = async (): Promise<number> =>
  (await service.metric('flowers_view_duration_seconds_count{model="slow"}')) ?? 0
const busy = async (): Promise<boolean> => (await service.metric('flowers_workers_busy')) === 1

describe('a full queue', () => {
  it('is answered with 503 and a whole number of seconds to wait, and the admitted get their answers', async () => {
    const first = classify()
    await until(busy)
    const others = await Promise.all(Array.from({ length: 8 }, () => classify()))
    const refused = others.filter(({ status }) => status === 503)
    const answered = others.filter(({ status }) => status === 200)
    expect(answered).toHaveLength(3)
    expect(refused).toHaveLength(5)
    for (const response of refused) {
      expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
      expect(await response.json()).toMatchObject({ code: 'SERVICE_OVERLOADED', status: 503 })
    }
    expect((await first).status).toBe(200)
  })

  it('admits all images of a request or none', async () => {
    const response = await classify({ body: form(red, red, red, red) })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'SERVICE_OVERLOADED' })
    expect((await classify({ body: form(red, red, red) }, '/classify?tta=none')).status).toBe(200)
  })
})

describe('a deadline', () => {
  it('is answered with 504 while the image is inferred, and the views that remain are dropped', async () => {
    const before = await viewsRun()
    const response = await classify({ headers: { 'x-request-timeout-ms': '75' } })
    expect(response.status).toBe(504)
    expect(await response.json()).toMatchObject({ code: 'SERVICE_TOO_LATE', status: 504 })
    await until(idle)
    expect((await viewsRun()) - before).toBeLessThan(6)
  })

  it('is answered with 504 while the image waits', async () => {
    const first = classify()
    await until(busy)
    const response = await classify({ headers: { 'x-request-timeout-ms': '20' } })
    expect(response.status).toBe(504)
    expect((await first).status).toBe(200)
  })

  it('is answered with 504 while the image is being sent', async () => {
    const { port } = new URL(service.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      'POST /classify HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 1000\r\nx-request-timeout-ms: 30\r\n\r\nabc',
    )
    const [head] = await new Promise<string[]>((resolve) =>
      socket.once('data', (data) => resolve(data.toString().split('\r\n'))),
    )
    expect(head).toBe('HTTP/1.1 504 Gateway Timeout')
    socket.destroy()
  })

  it('of several images is told for each that is late', async () => {
    const response = await classify({ body: form(red, red, red), headers: { 'x-request-timeout-ms': '100' } })
    expect(response.status).toBe(200)
    const { results } = (await response.json()) as { results: { code?: string }[] }
    expect(results).toHaveLength(3)
    expect(results[2]).toMatchObject({ code: 'SERVICE_TOO_LATE' })
  })
})

describe('a client that leaves', () => {
  it('costs no view after the one that is running', async () => {
    const before = await viewsRun()
    const controller = new AbortController()
    const request = classify({ signal: controller.signal })
    await until(busy)
    controller.abort()
    await expect(request).rejects.toThrow('aborted')
    await until(idle)
    expect((await viewsRun()) - before).toBeLessThan(6)
    const series = 'flowers_http_request_duration_seconds_count{method="POST",route="/classify",status="499"}'
    expect(await service.metric(series)).toBe(1)
    expect(await service.metric('flowers_images_total{result="gone"}')).toBe(1)
  })

  it('while it waits costs nothing', async () => {
    const before = await viewsRun()
    const first = classify()
    await until(busy)
    const controllers = [1, 2, 3].map(() => new AbortController())
    const requests = controllers.map(({ signal }) => classify({ signal }))
    await until(async () => (await service.metric('flowers_queue_depth')) === 3)
    for (const controller of controllers) controller.abort()
    const outcomes = await Promise.allSettled(requests)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect((await first).status).toBe(200)
    await until(idle)
    expect((await viewsRun()) - before).toBe(6)
  })

  it('in the middle of its upload leaves nothing behind', async () => {
    const { port } = new URL(service.url)
    const received = await service.metric('flowers_stage_duration_seconds_count{stage="receive"}')
    for (const type of ['image/png', 'multipart/form-data; boundary=x']) {
      const socket = connect(Number(port), '127.0.0.1')
      socket.write(
        `POST /classify HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: 1000\r\n\r\n--x\r\nContent-Disp`,
      )
      await until(async () => (await service.metric('flowers_http_requests_in_flight')) === 2)
      socket.destroy()
      await until(idle)
    }
    expect(await service.metric('flowers_stage_duration_seconds_count{stage="receive"}')).toBe(received)
  })
})

describe('a worker that stops', () => {
  it('is replaced, and its image is answered all the same', async () => {
    const isRun = ([message]: unknown[]): boolean => typeof message === 'object' && message !== null && 'run' in message
    const post = vi.spyOn(Worker.prototype, 'postMessage')
    const lost = (await service.metric('flowers_workers_lost_total{model="slow"}'))!
    const request = classify()
    await until(() => post.mock.calls.some(isRun))
    const worker = post.mock.contexts[post.mock.calls.findIndex(isRun)] as Worker
    // No message of ours: the worker throws when it reads it, after the view that is running.
    worker.postMessage(null)
    const response = await request
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ set: ['red'], views: { used: 6 } })
    expect(await service.metric('flowers_workers_lost_total{model="slow"}')).toBe(lost + 1)
    expect(await service.metric('flowers_workers')).toBe(1)
  })
})

describe('/livez', () => {
  it('is answered while every worker infers', async () => {
    let done = false
    const request = classify({ body: form(red, red) }).then((response) => {
      done = true
      return response
    })
    await until(busy)
    for (let count = 0; count < 5; count++) expect((await fetch(`${service.url}/livez`)).status).toBe(200)
    expect(done).toBe(false)
    expect((await request).status).toBe(200)
  })
})
