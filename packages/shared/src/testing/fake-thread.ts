import { EventEmitter } from 'node:events'
import type { WorkerThread } from '../worker-pool.ts'

/** A thread that does what a test says. `onPost` sees each message that it gets. */
export class FakeThread extends EventEmitter implements WorkerThread {
  /** What it was sent last; null when it has replied since. */
  task: unknown = null
  readonly #onPost: (message: unknown, thread: FakeThread) => void

  constructor(onPost: (message: unknown, thread: FakeThread) => void = () => {}) {
    super()
    this.#onPost = onPost
  }

  postMessage(message: unknown): void {
    this.task = message
    this.#onPost(message, this)
  }

  reply(message: unknown): void {
    this.task = null
    this.emit('message', message)
  }

  /** Ends the thread, by itself or by `error`. */
  die(error?: Error): void {
    if (error) this.emit('error', error)
    this.emit('exit', error ? 1 : 0)
  }

  terminate(): Promise<void> {
    this.die()
    return Promise.resolve()
  }
}
