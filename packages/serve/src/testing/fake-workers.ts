import type { Decoder } from '@flowers/shared/image/decode-threads'
import { FakeThread } from '@flowers/shared/testing/fake-thread'
import type { CloseMessage, RunMessage, WorkerMessage, WorkerSettings } from '../engine/messages.ts'
import type { Platform } from '../engine/platform.ts'

/**
 * Workers without a network: they are warm at once and answer each view with 9 for its class, which is the first byte of
 * its pixels, and 0 for all others. A run in which a view asks for `known` gives
 * {@link known} for that view and 0 for others.
 */
export class FakeWorkers {
  readonly threads: FakeThread[] = []
  /** What each was started with. */
  readonly settings: WorkerSettings[] = []
  /** Views of each run. */
  readonly runs: number[] = []
  /** Runs are kept until {@link release}. */
  isHeld = false
  /** Of a view that asks for it. */
  known = 0.75
  readonly #held: (() => void)[] = []

  readonly create = (settings: WorkerSettings): FakeThread => {
    const thread = new FakeThread((message) => this.#take(message as RunMessage | CloseMessage, thread, settings))
    this.threads.push(thread)
    this.settings.push(settings)
    const seconds = Object.fromEntries(settings.warmUp.batches.map((views) => [views, 0.01 * views]))
    queueMicrotask(() => reply(thread, { kind: 'warm', seconds, explains: false }))
    return thread
  }

  /** Resolves when so many runs have begun. */
  async begun(count: number): Promise<void> {
    while (this.runs.length < count) await new Promise(setImmediate)
  }

  /** Answers what was held, and holds no more. */
  release(): void {
    this.isHeld = false
    for (const go of this.#held.splice(0)) go()
  }

  #take(message: RunMessage | CloseMessage, thread: FakeThread, { classes }: WorkerSettings): void {
    if ('close' in message) {
      queueMicrotask(() => thread.die())
      return
    }
    const { run, views } = message
    this.runs.push(views.length)
    const logits = new Float32Array(views.length * classes)
    for (const [index, view] of views.entries()) {
      if ('pixels' in view) logits[index * classes + new Uint8Array(view.pixels)[0]!] = 9
    }
    const known = views.some((view) => view.known)
      ? Float32Array.from(views, (view) => (view.known ? this.known : 0))
      : null
    const times = { seconds: 0.01, prepareSeconds: 0 }
    const go = (): void => reply(thread, { kind: 'logits', run, logits, maps: null, known, ...times })
    if (this.isHeld) this.#held.push(go)
    else queueMicrotask(go)
  }
}

function reply(thread: FakeThread, message: WorkerMessage): void {
  thread.reply(message)
}

/** A decoder whose canvases hold the first byte of the picture everywhere. */
export const fakeDecoder: Decoder = {
  decodeViews: async (bytes, { size }, scales) => ({
    canvases: scales.map(() => ({
      size,
      pixels: new Uint8Array(new SharedArrayBuffer(3 * size * size)).fill(bytes[0]!),
    })),
    resizeSeconds: 0,
  }),
  waiting: () => 0,
  close: async () => {},
}

/** A machine of one core, of which the memory can be chosen, with {@link FakeWorkers} and {@link fakeDecoder}. */
export function fakePlatform(workers: FakeWorkers, memory = 8e9): Platform {
  return {
    allowance: { cores: 1, memory, source: 'system' },
    decodeThreads: 1,
    createWorker: workers.create,
    createDecoder: () => fakeDecoder,
    now: () => performance.now(),
  }
}
