import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectViewSeconds, type HeldRuns } from '@flowers/serve/testing/driven-workers'
import { form, solid } from '@flowers/serve/testing/pictures'
import { startService, testModels, until, type RunningService } from '@flowers/serve/testing/service'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

/** What the service does when there is more work than it can do, when clients leave, and when workers stop. */
let service: RunningService
let red: Buffer

beforeAll(async () => {
  service = await startService({ MODEL: 'slow', FLOWERS_WORKERS: '1', FLOWERS_QUEUE_LIMIT: '3' })
  red = await solid('#ff0000')
})
afterAll(() => service.close())
afterEach(async () => {
  service.workers.release()
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

/** Holds the runs until the test releases them or ends. */
function hold(): HeldRuns {
  return service.workers.hold()
}

const viewsRun = async (): Promise<number> =>
  (await service.metric('flowers_view_duration_seconds_count{model="slow"}')) ?? 0

describe('a full queue', () => {
  it('is answered with 503 and a whole number of seconds to wait, and the admitted get their answers', async () => {
    const { held, release } = hold()
    const admitted = [classify()]
    await until(() => held() === 1)
    const refused: Response[] = []
    const others = Array.from({ length: 8 }, async () => {
      const response = await classify()
      if (response.status === 503) refused.push(response)
      return response
    })
    await until(() => refused.length === 5)
    release()
    expect((await Promise.all([...admitted, ...others])).filter(({ status }) => status === 200)).toHaveLength(4)
    for (const response of refused) {
      expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
      expect(await response.json()).toMatchObject({ code: 'SERVICE_OVERLOADED', status: 503 })
    }
  })

  it('admits all images of a request or none', async () => {
    const { held, release } = hold()
    const first = [classify()]
    await until(() => held() === 1)
    first.push(classify())
    await until(async () => (await service.metric('flowers_queue_depth')) === 1)
    const response = await classify({ body: form(red, red, red) })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'SERVICE_OVERLOADED' })
    release()
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

describe('pressure', () => {
  it('takes views from those who did not ask for them, before anyone is refused', async () => {
    const own = await startService({ MODEL: 'slow', FLOWERS_WORKERS: '1', FLOWERS_QUEUE_LIMIT: '8' })
    try {
      // Places decide here, not time.
      await expectViewSeconds(own, 0.001)
      const { held, release } = own.workers.hold()
      const ask = async (query: string): Promise<unknown> => {
        const response = await fetch(`${own.url}/classify${query}`, { method: 'POST', body: form(red) })
        return response.ok ? ((await response.json()) as { views: { policy: string } }).views.policy : response.status
      }
      const answers = [ask('')]
      await until(() => held() === 1)
      const queries = ['', '', '', '', '', '', '?tta=exact', '?tta=full&allow_step_down=true']
      for (const [index, query] of queries.entries()) {
        answers.push(ask(query))
        await until(async () => (await own.metric('flowers_queue_depth')) === index + 1)
      }
      answers.push(ask('?tta=none'))
      expect(await answers.at(-1)).toBe(503)
      release()
      expect(await Promise.all(answers)).toEqual([...Array<string>(8).fill('exact'), 'fast', 503])
      expect(await own.metric('flowers_stepped_down_total{to="fast"}')).toBe(1)
    } finally {
      await own.close()
    }
  })

  it('takes views also where the deadline leaves time for fewer only', async () => {
    // A service that has refused nobody: one that has asks for the fewest views for a while.
    const own = await startService({ MODEL: 'slow', FLOWERS_WORKERS: '1' })
    try {
      await expectViewSeconds(own, 160)
      const ask = (query: string): Promise<Response> =>
        fetch(`${own.url}/classify${query}`, {
          method: 'POST',
          body: form(red),
          headers: { 'x-request-timeout-ms': '560000' },
        })
      expect(await (await ask('')).json()).toMatchObject({ views: { policy: 'fast' } })
      expect(await (await ask('?tta=exact&allow_step_down=true')).json()).toMatchObject({ views: { policy: 'fast' } })
      expect((await ask('?tta=exact')).status).toBe(503)
    } finally {
      await own.close()
    }
  })
})

describe('a client that leaves', () => {
  it('costs no view after the one that is running', async () => {
    const before = await viewsRun()
    const controller = new AbortController()
    const { held, release } = hold()
    const request = classify({ signal: controller.signal })
    await until(() => held() === 1)
    controller.abort()
    await expect(request).rejects.toThrow('aborted')
    const gone = 'flowers_images_total{result="gone"}'
    await until(async () => (await service.metric(gone)) === 1)
    release()
    await until(idle)
    expect((await viewsRun()) - before).toBe(1)
    const series = 'flowers_http_request_duration_seconds_count{method="POST",route="/classify",status="499"}'
    expect(await service.metric(series)).toBe(1)
  })

  it('while it waits costs nothing', async () => {
    const before = await viewsRun()
    const { held, release } = hold()
    const first = classify()
    await until(() => held() === 1)
    const controllers = [1, 2, 3].map(() => new AbortController())
    const requests = controllers.map(({ signal }) => classify({ signal }))
    await until(async () => (await service.metric('flowers_queue_depth')) === 3)
    for (const controller of controllers) controller.abort()
    const outcomes = await Promise.allSettled(requests)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await until(async () => (await service.metric('flowers_queue_depth')) === 0)
    release()
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
    const own = await startService({ MODEL: 'slow', FLOWERS_WORKERS: '2', FLOWERS_THREADS: '1' })
    try {
      const { asked } = own.workers
      const ask = (): Promise<Response> => fetch(`${own.url}/classify?tta=full`, { method: 'POST', body: form(red) })
      const requests = Array.from({ length: 6 }, ask)
      // One after the other: a run that stops two workers is not tried a third time.
      for (const lost of [1, 2]) {
        asked.length = 0
        await until(() => asked.length > 0)
        // No message of ours: a worker throws when it reads it, within or before the run that it was given.
        asked[0]!.postMessage(null)
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
    const own = await startService({ MODELS_DIR: models, MODEL: 'slow', FLOWERS_WORKERS: '1' })
    const network = join(models, 'slow/1/onnx/model.onnx')
    const ask = (): Promise<Response> => fetch(`${own.url}/classify?tta=full`, { method: 'POST', body: form(red) })
    try {
      const { held, release } = own.workers.hold()
      const waiting = Array.from({ length: 3 }, ask)
      await until(() => held() === 1)
      await until(async () => (await own.metric('flowers_queue_depth')) === 2)
      await rename(network, `${network}.away`)
      const thread = own.workers.asked.at(-1)!
      release()
      // No message of ours: the worker throws when it reads it.
      thread.postMessage(null)
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
    const { held, release } = hold()
    const request = classify({ body: form(red, red) })
    await until(() => held() === 1)
    for (let count = 0; count < 5; count++) expect((await fetch(`${service.url}/livez`)).status).toBe(200)
    expect(held()).toBe(1)
    release()
    expect((await request).status).toBe(200)
  })
})
