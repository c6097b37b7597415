import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { ForecastErrors } from './engine/scheduler/forecast.ts'
import { form, solid } from './testing/pictures.ts'
import { startService, testModels, until } from './testing/service.ts'
import type { RunningService } from './testing/service.ts'

/** What the service does when there is more work than it can do, when clients leave, and when workers stop. */
const patient = { FLOWERS_DEFAULT_DEADLINE_MS: '600000' }

let service: RunningService
let red: Buffer

beforeAll(async () => {
  service = await startService({ ...patient, MODEL: 'slow', FLOWERS_WORKERS: '1', FLOWERS_QUEUE_LIMIT: '3' })
  red = await solid('#ff0000')
})
afterAll(() => service.close())
afterEach(async () => {
  releaseRuns()
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

let releaseRuns = (): void => {}

/** Lets `passing` runs through to the workers and keeps the others until `release` is called. */
function holdRuns(passing = 0): { held: () => number; release: () => void } {
  const held: (() => void)[] = []
  let letThrough = passing
  let open = false
  // oxlint-disable-next-line typescript/unbound-method -- called with its thread below
  const post = Worker.prototype.postMessage
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, ...sent) {
    const [message] = sent as unknown[]
    const isRun = typeof message === 'object' && message !== null && 'run' in message
    if (!isRun || open || letThrough-- > 0) post.apply(this, sent)
    else held.push(() => post.apply(this, sent))
  })
  releaseRuns = () => {
    open = true
    for (const go of held.splice(0)) go()
  }
  return { held: () => held.length, release: releaseRuns }
}

/** Forecasts as if a view took so many seconds, and as if no forecast had been wrong. */
async function expectViewSeconds(seconds: number, { engine } = service): Promise<void> {
  const classifier = await engine.classifier()
  vi.spyOn(classifier.cost, 'seconds').mockImplementation((views) => seconds * views)
  vi.spyOn(classifier.cost, 'isStale').mockReturnValue(false)
  vi.spyOn(ForecastErrors.prototype, 'margin').mockReturnValue(0)
}

const viewsRun = async (): Promise<number> =>
  (await service.metric('flowers_view_duration_seconds_count{model="slow"}')) ?? 0
/** Seconds that the requests were given that failed by time. */
const missedDeadlines = async (): Promise<number> =>
  Number((await service.metric('flowers_missed_deadlines_seconds_sum'))?.toFixed(3))
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
    const hold = holdRuns()
    const first = [classify()]
    await until(() => hold.held() === 1)
    first.push(classify())
    await until(async () => (await service.metric('flowers_queue_depth')) === 1)
    const response = await classify({ body: form(red, red, red) })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'SERVICE_OVERLOADED' })
    hold.release()
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200])
    expect((await classify({ body: form(red, red, red) }, '/classify?tta=none')).status).toBe(200)
  })

  it('never has room for more images than it holds, which is told as what it is', async () => {
    const response = await classify({ body: form(red, red, red, red) })
    expect(response.status).toBe(413)
    expect(response.headers.get('retry-after')).toBeNull()
    expect(await response.json()).toMatchObject({
      code: 'SERVICE_TOO_LARGE',
      detail: expect.stringContaining('4 images were sent; 3 may wait'),
    })
  })
})

describe('a deadline', () => {
  it('that cannot be met is answered with 503 at once, with a whole number of seconds to wait', async () => {
    await expectViewSeconds(1)
    const before = await viewsRun()
    const hold = holdRuns()
    const first = classify({ headers: { 'x-request-timeout-ms': '11000' } })
    await until(() => hold.held() === 1)
    const response = await classify({ headers: { 'x-request-timeout-ms': '11500' } })
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    expect(await response.json()).toMatchObject({ code: 'SERVICE_OVERLOADED', detail: expect.stringMatching(/\d+ ms/) })
    hold.release()
    expect((await first).status).toBe(200)
    expect((await viewsRun()) - before).toBe(6)
  })

  it('that is shorter than an answer takes is told so, and that others ask is not to blame', async () => {
    await expectViewSeconds(1)
    const [before, missed] = await Promise.all([viewsRun(), missedDeadlines()])
    const response = await classify({ headers: { 'x-request-timeout-ms': '5900' } })
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('30')
    expect(await response.json()).toMatchObject({
      code: 'SERVICE_DEADLINE_SHORT',
      detail: expect.stringMatching(/takes \d+ ms when nobody else asks/),
    })
    await until(async () => (await missedDeadlines()) === missed + 5.9)
    expect(await viewsRun()).toBe(before)
  })

  it('is answered with 504 while the image is inferred, and the views that remain are dropped', async () => {
    const before = await viewsRun()
    await expectViewSeconds(0)
    const hold = holdRuns()
    const response = await classify({ headers: { 'x-request-timeout-ms': '1000' } })
    expect(response.status).toBe(504)
    expect(await response.json()).toMatchObject({ code: 'SERVICE_TOO_LATE', status: 504 })
    hold.release()
    await until(idle)
    expect((await viewsRun()) - before).toBe(1)
  })

  it('is answered with 504 while the image waits, and costs no view', async () => {
    const before = await viewsRun()
    await expectViewSeconds(0)
    const hold = holdRuns()
    const first = classify()
    await until(() => hold.held() === 1)
    const response = await classify({ headers: { 'x-request-timeout-ms': '1000' } }, '/classify?tta=none')
    expect(response.status).toBe(504)
    expect(await service.metric('flowers_queue_depth')).toBe(0)
    hold.release()
    expect((await first).status).toBe(200)
    expect((await viewsRun()) - before).toBe(6)
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
    await expectViewSeconds(0)
    const hold = holdRuns(2)
    const response = await classify(
      { body: form(red, red, red), headers: { 'x-request-timeout-ms': '4000' } },
      '/classify?tta=none',
    )
    expect(response.status).toBe(200)
    const { results } = (await response.json()) as { results: { code?: string }[] }
    hold.release()
    expect(results.map(({ code }) => code)).toEqual([undefined, undefined, 'SERVICE_TOO_LATE'])
  })
})

describe('pressure', () => {
  it('takes views from those who did not ask for them, before anyone is refused', async () => {
    const own = await startService({ ...patient, MODEL: 'slow', FLOWERS_WORKERS: '1', FLOWERS_QUEUE_LIMIT: '8' })
    try {
      // Places decide here, not time.
      await expectViewSeconds(0.001, own)
      const hold = holdRuns()
      const ask = async (query: string): Promise<unknown> => {
        const response = await fetch(`${own.url}/classify${query}`, { method: 'POST', body: form(red) })
        return response.ok ? ((await response.json()) as { views: { policy: string } }).views.policy : response.status
      }
      const answers = [ask('')]
      await until(() => hold.held() === 1)
      const queries = ['', '', '', '', '', '', '?tta=exact', '?tta=full&allow_step_down=true']
      for (const [index, query] of queries.entries()) {
        answers.push(ask(query))
        await until(async () => (await own.metric('flowers_queue_depth')) === index + 1)
      }
      answers.push(ask('?tta=none'))
      expect(await answers.at(-1)).toBe(503)
      hold.release()
      expect(await Promise.all(answers)).toEqual([...Array<string>(8).fill('exact'), 'fast', 503])
      expect(await own.metric('flowers_stepped_down_total{to="fast"}')).toBe(1)
    } finally {
      await own.close()
    }
  })

  it('takes views also where the deadline leaves time for fewer only', async () => {
    await expectViewSeconds(20)
    const headers = { 'x-request-timeout-ms': '70000' }
    const answered = await classify({ headers }, '/classify')
    expect(await answered.json()).toMatchObject({ views: { policy: 'fast' } })
    expect((await classify({ headers }, '/classify?tta=exact')).status).toBe(503)
    const allowed = await classify({ headers }, '/classify?tta=exact&allow_step_down=true')
    expect(await allowed.json()).toMatchObject({ views: { policy: 'fast' } })
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
    const hold = holdRuns()
    const first = classify()
    await until(() => hold.held() === 1)
    const controllers = [1, 2, 3].map(() => new AbortController())
    const requests = controllers.map(({ signal }) => classify({ signal }))
    await until(async () => (await service.metric('flowers_queue_depth')) === 3)
    for (const controller of controllers) controller.abort()
    const outcomes = await Promise.allSettled(requests)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await until(async () => (await service.metric('flowers_queue_depth')) === 0)
    hold.release()
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

describe('workers that stop', () => {
  it('are replaced, and their images are answered all the same', async () => {
    const own = await startService({ ...patient, MODEL: 'slow', FLOWERS_WORKERS: '2', FLOWERS_THREADS: '1' })
    try {
      const post = vi.spyOn(Worker.prototype, 'postMessage')
      const ask = (): Promise<Response> => fetch(`${own.url}/classify?tta=full`, { method: 'POST', body: form(red) })
      const requests = Array.from({ length: 6 }, ask)
      /** The threads that were given runs since the last call. */
      const working = (): Worker[] => {
        const threads = post.mock.calls.flatMap(([message]: unknown[], index) =>
          typeof message === 'object' && message !== null && 'run' in message
            ? [post.mock.contexts[index] as Worker]
            : [],
        )
        return [...new Set(threads)]
      }
      // One after the other: a run that stops two workers is not tried a third time.
      for (const lost of [1, 2]) {
        post.mockClear()
        await until(() => working().length > 0)
        // No message of ours: a worker throws when it reads it, within or before the run that it was given.
        working()[0]!.postMessage(null)
        await until(async () => (await own.metric('flowers_workers_lost_total{model="slow"}')) === lost)
        await until(async () => (await own.metric('flowers_workers')) === 2)
        requests.push(ask())
      }
      for (const response of await Promise.all(requests)) {
        expect(response.status).toBe(200)
        expect(await response.json()).toMatchObject({ set: ['red'], views: { used: 6 } })
      }
      expect(await own.metric('flowers_queue_depth')).toBe(0)
    } finally {
      await own.close()
    }
  })
})

describe('a network that is gone when its workers stop', () => {
  it('is told at once to who waits and who comes, until it is there again', async () => {
    const models = await mkdtemp(join(tmpdir(), 'flowers-models-'))
    await cp(testModels, models, { recursive: true })
    const settings = { MODELS_DIR: models, MODEL: 'slow', FLOWERS_WORKERS: '1', FLOWERS_ADMIN_TOKEN: 'root' }
    const own = await startService({ ...settings, FLOWERS_DEFAULT_DEADLINE_MS: '30000' })
    const network = join(models, 'slow/1/onnx/model.onnx')
    const ask = (): Promise<Response> => fetch(`${own.url}/classify?tta=full`, { method: 'POST', body: form(red) })
    try {
      const hold = holdRuns()
      const waiting = Array.from({ length: 3 }, ask)
      await until(() => hold.held() === 1)
      await until(async () => (await own.metric('flowers_queue_depth')) === 2)
      await rename(network, `${network}.away`)
      // oxlint-disable-next-line typescript/unbound-method -- a list of the threads that were called
      const { contexts, calls } = vi.mocked(Worker.prototype.postMessage).mock
      const at = calls.findLastIndex(([message]: unknown[]) => typeof message === 'object' && 'run' in message!)
      hold.release()
      // No message of ours: the worker throws when it reads it.
      ;(contexts[at] as Worker).postMessage(null)
      const refused = [...(await Promise.all(waiting)), await ask()]
      for (const response of refused) {
        expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
        expect(await response.json()).toMatchObject({ code: 'SERVICE_NOT_READY', status: 503 })
      }
      expect((await fetch(`${own.url}/readyz`)).status).toBe(503)
      const model = await fetch(`${own.url}/v2/models/slow/ready`)
      expect(model.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
      expect(await model.json()).toEqual({ error: expect.stringMatching(/^SERVICE_NOT_READY: /) })
      await rename(`${network}.away`, network)
      await until(async () => (await fetch(`${own.url}/readyz`)).ok)
      expect((await ask()).status).toBe(200)
    } finally {
      await own.close()
      await rm(models, { recursive: true })
    }
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
