import type { FastifyInstance, FastifyRequest } from 'fastify'
import { retryLater } from '../service-error.ts'
import { whenOver } from './over.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Bytes of its body that are held, counted in {@link UploadMemory}. */
    uploadBytes: number
  }
}

/** How long a client that is answered before its body has come may go on sending, so that it reads the answer. */
const lingerMs = 2000

/** What the bodies of all requests take together, from their first byte until the request is answered. */
export class UploadMemory {
  readonly #limit: number
  #held = 0

  /** `limit`: bytes that may be held. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Counts what comes of the body until `end`. `exceeded` rejects with SERVICE_OVERLOADED beyond the limit. */
  counting(request: FastifyRequest): { readonly exceeded: Promise<never>; end(): void } {
    const { raw } = request
    let refuse: (error: Error) => void
    const exceeded = new Promise<never>((_, reject) => (refuse = reject))
    const count = ({ length }: Buffer): void => {
      this.#held += length
      request.uploadBytes += length
      if (this.#held <= this.#limit) return
      const held = `The requests that are being received and answered hold more than ${this.#limit / 1e6} MB.`
      refuse(retryLater('SERVICE_OVERLOADED', held, 1))
    }
    raw.on('data', count)
    return { exceeded, end: () => raw.off('data', count) }
  }

  /** Lets go of what the requests of this scope held when each is over. */
  install(app: FastifyInstance): void {
    app.addHook('onRequest', (request, reply, done) => {
      request.uploadBytes = 0
      whenOver(request, reply, () => {
        this.#held -= request.uploadBytes
        // What was read so far is kept as long as the body is being read.
        const { raw } = request
        if (!raw.complete && !raw.destroyed) setTimeout(() => raw.destroy(), lingerMs).unref()
      })
      done()
    })
  }
}
