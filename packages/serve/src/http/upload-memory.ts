import type { FastifyInstance, FastifyRequest } from 'fastify'
import { retryLater } from '../errors.ts'
import { whenOver } from './over.ts'

/** How long a client that is answered before its whole body arrived may go on sending, so that it reads the answer. */
const lingerMs = 2000

/** Counts the bytes that the bodies of all requests hold, and what is made of them, until each request is over. */
export class UploadMemory {
  readonly #limit: number
  /** Bytes of each request that is not over. */
  readonly #bytes = new Map<FastifyRequest, number>()
  #held = 0

  /** `limit`: bytes that may be held. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Counts the bytes of the body as they arrive, until `end`. `exceeded` rejects with SERVICE_OVERLOADED beyond the limit. */
  counting(request: FastifyRequest): { readonly exceeded: Promise<never>; end(): void } {
    const { raw } = request
    let refuse: (error: Error) => void
    const exceeded = new Promise<never>((_, reject) => (refuse = reject))
    const count = ({ length }: Buffer): void => {
      try {
        this.hold(request, length)
      } catch (error) {
        refuse(error as Error)
      }
    }
    raw.on('data', count)
    return { exceeded, end: () => raw.off('data', count) }
  }

  /** Adds to the bytes that a request holds. Throws SERVICE_OVERLOADED beyond the limit. */
  hold(request: FastifyRequest, bytes: number): void {
    this.keep(request, (this.#bytes.get(request) ?? 0) + bytes)
    if (this.#held <= this.#limit) return
    const held = `The requests that are being received and answered hold more than ${this.#limit / 1e6} MB.`
    throw retryLater('SERVICE_OVERLOADED', held, 1)
  }

  /** Sets the bytes that a request holds; does nothing once the request is over. */
  keep(request: FastifyRequest, bytes: number): void {
    const before = this.#bytes.get(request)
    if (before === undefined) return
    this.#bytes.set(request, bytes)
    this.#held += bytes - before
  }

  /** Releases what each request of this scope held when the request is over. */
  install(app: FastifyInstance): void {
    app.addHook('onRequest', (request, reply, done) => {
      this.#bytes.set(request, 0)
      whenOver(request, reply, () => {
        this.keep(request, 0)
        this.#bytes.delete(request)
        // Node keeps what it has read of a body for as long as it reads the rest.
        const { raw } = request
        if (!raw.complete && !raw.destroyed) setTimeout(() => raw.destroy(), lingerMs).unref()
      })
      done()
    })
  }
}
