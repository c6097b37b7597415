import { once } from 'node:events'
import { connect } from 'node:net'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createInstruments, createRegistry } from '../observe/instruments.ts'
import { Dropped, retryLater } from '../errors.ts'
import { expectViewSeconds, type HeldRuns } from '../testing/driven-workers.ts'
import { form, solid } from '../testing/pictures.ts'
import { startService, until, type RunningService } from '../testing/service.ts'
import { deadline, untilOver } from './deadline.ts'
import { sendProblem } from './errors.ts'
import { requests } from './requests.ts'

let app: FastifyInstance | undefined
afterEach(async () => {
  await app?.close()
  app = undefined
})

/** An application whose requests have deadlines. */
async function limited(closing: AbortSignal): Promise<FastifyInstance> {
  const instruments = createInstruments(createRegistry())
  const made = fastify()
  await made.register(requests, { instruments })
  await made.register(deadline, { defaultMs: 60_000, closing, instruments })
  return made.setErrorHandler(sendProblem)
}

/** Asks a service whose answers are never ready. `begun` resolves when the request is being answered. */
async function ask(closing: AbortSignal): Promise<{ answer: Promise<unknown>; begun: Promise<void> }> {
  app = await limited(closing)
  let begin: () => void
  const begun = new Promise<void>((resolve) => (begin = resolve))
  app.get('/', (request) => {
    begin()
    return untilOver(request, new Promise(() => {}))
  })
  return { answer: app.inject('/').then((answer) => answer), begun }
}

const refused = {
  statusCode: 503,
  headers: expect.objectContaining({ 'retry-after': '1' }) as unknown,
  body: expect.stringContaining('SERVICE_WORKER_LOST') as unknown,
}
const reason = retryLater('SERVICE_WORKER_LOST', 'The service stopped.', 1)

describe('the work of a request', () => {
  it('ends with its answer, and its reason is not that the client left', async () => {
    app = await limited(new AbortController().signal)
    const signals: AbortSignal[] = []
    app.get('/', (request) => {
      signals.push(request.work.signal)
      return 'done'
    })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    expect(await (await fetch(url)).text()).toBe('done')
    await until(() => signals[0]!.aborted)
    expect(signals[0]!.reason).toBeInstanceOf(Dropped)
  })
})

describe('a request that is being answered when the engine is closed', () => {
  it('is refused at once, whatever it waits for', async () => {
    const closing = new AbortController()
    const { answer, begun } = await ask(closing.signal)
    await begun
    closing.abort(reason)
    expect(await answer).toMatchObject(refused)
  })

  it('is refused when it arrives later', async () => {
    expect(await (await ask(AbortSignal.abort(reason))).answer).toMatchObject(refused)
  })
})

describe('a deadline of the service', () => {
  const lateMs = 200_000
  let service: RunningService
  let red: Buffer

  beforeAll(async () => {
    service = await startService({ MODEL: 'slow', FLOWERS_WORKERS: '1', FLOWERS_QUEUE_LIMIT: '3' })
    red = await solid('#ff0000')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(async () => {
    service.workers.release()
    vi.restoreAllMocks()
    await until(async () => (await service.metric('flowers_workers_busy')) === 0)
  })
  afterAll(async () => {
    vi.useRealTimers()
    await service.close()
  })

  const hold = (passing = 0): HeldRuns => service.workers.hold(passing)
  const count = async (series: string): Promise<number> => (await service.metric(series)) ?? 0
  const viewsRun = (): Promise<number> => count('flowers_view_duration_seconds_count{model="slow"}')
  const classify = (query: string, timeoutMs = 600_000, images = 1): Promise<Response> =>
    fetch(`${service.url}/classify?${query}`, {
      method: 'POST',
      body: form(...Array<Buffer>(images).fill(red)),
      headers: { 'x-request-timeout-ms': String(timeoutMs) },
    })

  it('that cannot be met is answered with 503 at once, with a whole number of seconds to wait', async () => {
    await expectViewSeconds(service, 60)
    const before = await viewsRun()
    const { held, release } = hold()
    const first = classify('tta=full')
    await until(() => held() === 1)
    const response = await classify('tta=full')
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    expect(await response.json()).toMatchObject({ code: 'SERVICE_OVERLOADED', detail: expect.stringMatching(/\d+ ms/) })
    release()
    expect((await first).status).toBe(200)
    expect((await viewsRun()) - before).toBe(6)
  })

  it('that is shorter than an answer takes is told so, and other clients are not blamed', async () => {
    await expectViewSeconds(service, 60)
    const missed = 'flowers_missed_deadlines_seconds_sum'
    const [views, seconds] = await Promise.all([viewsRun(), count(missed)])
    const response = await classify('tta=full', 359_000)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('30')
    expect(await response.json()).toMatchObject({
      code: 'SERVICE_DEADLINE_SHORT',
      detail: expect.stringMatching(/takes \d+ ms when nobody else asks/),
    })
    await until(async () => (await count(missed)) === seconds + 359)
    expect(await viewsRun()).toBe(views)
  })

  it('is answered with 504 while the image is inferred, and the views that remain are dropped', async () => {
    const before = await viewsRun()
    await expectViewSeconds(service, 0)
    const { held, release } = hold()
    const asked = classify('tta=full', lateMs)
    await until(() => held() === 1)
    vi.advanceTimersByTime(lateMs)
    const response = await asked
    expect(response.status).toBe(504)
    expect(await response.json()).toMatchObject({ code: 'SERVICE_TOO_LATE', status: 504 })
    release()
    await until(async () => (await count('flowers_workers_busy')) === 0)
    expect((await viewsRun()) - before).toBe(1)
  })

  it('is answered with 504 while the image waits, and costs no view', async () => {
    const before = await viewsRun()
    await expectViewSeconds(service, 0)
    const { held, release } = hold()
    const first = classify('tta=full')
    await until(() => held() === 1)
    const asked = classify('tta=none', lateMs)
    await until(async () => (await count('flowers_queue_depth')) === 1)
    vi.advanceTimersByTime(lateMs)
    expect((await asked).status).toBe(504)
    expect(await count('flowers_queue_depth')).toBe(0)
    release()
    expect((await first).status).toBe(200)
    expect((await viewsRun()) - before).toBe(6)
  })

  it('is answered with 504 while the image is being sent', async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1').setEncoding('utf8')
    const head = 'POST /classify HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 1000\r\n'
    socket.write(`${head}x-request-timeout-ms: ${lateMs}\r\n\r\nabc`)
    await until(async () => (await count('flowers_http_requests_in_flight')) === 2)
    const answer = once(socket, 'data') as Promise<[string]>
    vi.advanceTimersByTime(lateMs)
    expect((await answer)[0]).toMatch(/^HTTP\/1\.1 504 Gateway Timeout\r\n/)
    socket.destroy()
  })

  it('of several images is told for each that is late', async () => {
    await expectViewSeconds(service, 0)
    const answered = await count('flowers_images_total{result="ok"}')
    const { held } = hold(2)
    const asked = classify('tta=none', lateMs, 3)
    await until(async () => held() === 1 && (await count('flowers_images_total{result="ok"}')) === answered + 2)
    vi.advanceTimersByTime(lateMs)
    const response = await asked
    expect(response.status).toBe(200)
    const { results } = (await response.json()) as { results: { code?: string }[] }
    expect(results.map(({ code }) => code)).toEqual([undefined, undefined, 'SERVICE_TOO_LATE'])
  })
})
