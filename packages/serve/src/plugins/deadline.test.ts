import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { createInstruments, createRegistry } from '../instruments.ts'
import { retryLater } from '../service-error.ts'
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
