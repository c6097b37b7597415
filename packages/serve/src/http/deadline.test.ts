import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { createInstruments, createRegistry } from '../observe/instruments.ts'
import { Dropped, retryLater } from '../service-error.ts'
import { until } from '../testing/service.ts'
import { deadline, untilOver } from './deadline.ts'
import { sendProblem } from './errors.ts'
import { requests } from './requests.ts'

let app: FastifyInstance
afterEach(() => app.close())

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
