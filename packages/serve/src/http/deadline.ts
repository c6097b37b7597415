import { setMaxListeners } from 'node:events'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Instruments } from '../observe/instruments.ts'
import { ClientGone, Dropped, ServiceError, type ProblemCode } from '../errors.ts'
import { whenOver } from './over.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Aborted with SERVICE_TOO_LATE at the deadline, with ClientGone when the client leaves before its answer, with
     * SERVICE_WORKER_LOST when the service is closed, and else with Dropped when it has been answered.
     */
    work: AbortController
    /** `performance.now()` at the deadline. */
    deadline: number
  }
}

/** Codes of requests that fail only because of the time that they were given. */
const failuresOfTime = new Set<ProblemCode | undefined>(['SERVICE_DEADLINE_SHORT', 'SERVICE_TOO_LATE'])

/** The longest time that a client may ask for. */
const longestMs = 600_000

/** Milliseconds from `X-Request-Timeout-Ms`. Throws SERVICE_PARAMETER unless it is an integer from 1 to 600000. */
function readTimeout(header: string | string[] | undefined, fallbackMs: number): number {
  if (header === undefined) return fallbackMs
  const value = typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) : 0
  if (value >= 1 && value <= longestMs) return value
  throw new ServiceError(
    'SERVICE_PARAMETER',
    `X-Request-Timeout-Ms must be an integer from 1 to ${longestMs}, not ${JSON.stringify(header)}.`,
  )
}

/** Seconds until the deadline. */
export function secondsLeft(request: FastifyRequest): number {
  return (request.deadline - performance.now()) / 1000
}

/** Gives each request of this scope a deadline, from its header or the default; closing the engine ends all of them. */
export const deadline = fp(setDeadlines, { name: 'deadline', dependencies: ['requests'], fastify: '5.x' })

function setDeadlines(
  app: FastifyInstance,
  options: { defaultMs: number; closing: AbortSignal; instruments: Pick<Instruments, 'missedDeadlines'> },
): void {
  const { defaultMs, closing, instruments } = options
  app.addHook('onRequest', (request, reply, done) => {
    const milliseconds = readTimeout(request.headers['x-request-timeout-ms'], defaultMs)
    const work = new AbortController()
    // Each image and view of a request adds a listener.
    setMaxListeners(0, work.signal)
    request.work = work
    request.deadline = request.arrived + milliseconds
    const timer = setTimeout(
      () => work.abort(new ServiceError('SERVICE_TOO_LATE', `The answer was not ready after ${milliseconds} ms.`)),
      milliseconds,
    )
    const close = (): void => work.abort(closing.reason)
    if (closing.aborted) close()
    else closing.addEventListener('abort', close, { once: true })
    whenOver(request, reply, () => {
      clearTimeout(timer)
      closing.removeEventListener('abort', close)
      const isAnswered = reply.raw.writableFinished
      if (isAnswered && failuresOfTime.has(request.failure)) {
        instruments.missedDeadlines.observe(milliseconds / 1000)
      }
      work.abort(isAnswered ? new Dropped() : new ClientGone())
    })
    done()
  })
}

/**
 * Resolves as `task` does, unless the request is over first: then it rejects at once with the reason. The task runs on
 * until it checks the signal.
 */
export async function untilOver<T>(request: FastifyRequest, task: Promise<T>): Promise<T> {
  const { signal } = request.work
  let stop: (() => void) | undefined
  const over = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([task, over])
  } finally {
    if (stop) signal.removeEventListener('abort', stop)
  }
}
