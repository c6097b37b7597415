import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { createInstruments, createRegistry } from '../observe/instruments.ts'
import { Dropped, retryLater } from '../errors.ts'
import { until } from '../testing/service.ts'
import { installDeadline, untilOver } from './deadline.ts'
import { installErrors } from './errors.ts'

let app: FastifyInstance
afterEach(() => app.close())

/** A service whose answers are never ready. `begun` resolves when a request is being answered. */
function start(closing: AbortSignal): { answer: () => Promise<{ statusCode: number }>; begun: Promise<void> } {
  app = fastify()
  let begin: () => void
  const begun = new Promise<void>((resolve) => (begin = resolve))
  app.addHook('onRequest', (request, _reply, done) => {
    request.arrived = performance.now()
    done()
  })
  installErrors(app)
  installDeadline(app, { defaultMs: 60_000, closing, instruments: createInstruments(createRegistry()) })
  app.get('/', (request) => {
    begin()
    return untilOver(request, new Promise(() => {}))
  })
  return { answer: async () => app.inject('/'), begun }
}

const refused = {
  statusCode: 503,
  headers: expect.objectContaining({ 'retry-after': '1' }) as unknown,
  body: expect.stringContaining('SERVICE_WORKER_LOST') as unknown,
}
const reason = retryLater('SERVICE_WORKER_LOST', 'The service stopped.', 1)

describe('the work of a request', () => {
  it('ends with its answer, and its reason is not that the client left', async () => {
    app = fastify()
    app.addHook('onRequest', (request, _reply, done) => {
      request.arrived = performance.now()
      done()
    })
    const closing = new AbortController().signal
    installDeadline(app, { defaultMs: 60_000, closing, instruments: createInstruments(createRegistry()) })
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
    const { answer, begun } = start(closing.signal)
    const response = answer()
    await begun
    closing.abort(reason)
    expect(await response).toMatchObject(refused)
  })

  it('is refused when it arrives later', async () => {
    expect(await start(AbortSignal.abort(reason)).answer()).toMatchObject(refused)
  })
})
