import { Worker } from 'node:worker_threads'
import { builtModule } from '../built-module.ts'
import { WorkerPool, type Report, type WorkerThread } from '../worker-pool.ts'
import type { ImageLimits } from './decode.ts'
import type { Canvas } from './canvas.ts'
import type { Preprocessing } from './preprocessing.ts'
import { SharedError, type SharedErrorCode } from '../errors.ts'

/** One picture for a worker thread. */
export interface DecodeTask {
  readonly bytes: Uint8Array
  readonly preprocessing: Preprocessing
  readonly scales: readonly number[]
  readonly limits: ImageLimits | undefined
  /** The picture is known to be large, and no other large picture is being decoded. */
  mayBeLarge: boolean
  /** One byte, 1 from when nobody waits for the picture. */
  readonly abandoned: Uint8Array<SharedArrayBuffer>
}

/** A canvas in memory that every thread can read without a copy. */
export interface SharedCanvas extends Canvas {
  readonly pixels: Uint8Array<SharedArrayBuffer>
}

/** What came of one picture: a canvas for each scale, and the seconds that resizing took of its time. */
export interface Decoded {
  readonly canvases: SharedCanvas[]
  readonly resizeSeconds: number
}

/**
 * `ready`: the thread has started. `large`: the picture is not decoded, as it is too large for being so beside another
 * such one.
 */
export type DecodeReply = Decoded | { readonly code: SharedErrorCode; readonly detail: string } | 'ready' | 'large'

/** `decodeViews` in worker threads, for a process whose main thread has to stay quick. */
export interface Decoder {
  /**
   * As `decodeViews`. `signal` drops a picture that still waits; one that is being decoded runs to the end of its step,
   * but its caller is let go at once.
   */
  decodeViews(
    bytes: Uint8Array,
    preprocessing: Preprocessing,
    scales: readonly number[],
    options?: { limits?: ImageLimits; signal?: AbortSignal },
  ): Promise<Decoded>
  /** Pictures that wait for a thread. */
  waiting(): number
  /** Ends the threads; pictures under way and waiting are rejected. */
  close(): Promise<void>
}

class DecodePool extends WorkerPool<DecodeTask, Decoded> {
  readonly createThread: () => WorkerThread

  constructor(threads: number, createThread: () => WorkerThread) {
    super({ threads })
    this.createThread = createThread
  }

  protected post(thread: WorkerThread, task: DecodeTask): void {
    const bytes = new Uint8Array(task.bytes)
    thread.postMessage({ ...task, bytes }, [bytes.buffer])
  }

  protected read(message: unknown, task: DecodeTask | null): Report<Decoded> {
    const reply = message as DecodeReply
    if (reply === 'ready') return { kind: 'ready' }
    if (reply === 'large') {
      if (task) task.mayBeLarge = true
      return { kind: 'again' }
    }
    if ('canvases' in reply) return { kind: 'done', reply }
    return { kind: 'failed', error: new SharedError(reply.code, reply.detail) }
  }

  protected end(thread: WorkerThread): void {
    void thread.terminate()
  }

  protected lost(reason: string): Error {
    return new SharedError('INTERNAL', `The thread that decodes pictures stopped: ${reason}.`)
  }

  protected down(): Error {
    return this.lost('none can be started')
  }

  protected override mayBegin(task: DecodeTask, running: readonly DecodeTask[]): boolean {
    return !task.mayBeLarge || !running.some(({ mayBeLarge }) => mayBeLarge)
  }

  protected override abandon({ abandoned }: DecodeTask): void {
    abandoned[0] = 1
  }
}

/**
 * Starts `threads` threads, each with one picture at a time, and of all of them one at most with a large picture, which
 * bounds the memory: a decoded picture takes 3 bytes a pixel, and some formats many more on the way. So that others need
 * not wait for a large one either, where there is more than one thread. A picture that takes two threads with it fails
 * with INTERNAL.
 */
export function startDecoder(options: { threads: number; createThread?: () => WorkerThread }): Decoder {
  const { threads, createThread = () => new Worker(builtModule(import.meta.url, './decode-worker.ts')) } = options
  const pool = new DecodePool(threads, createThread)
  // Never rejects: the threads take pictures before they have started.
  void pool.start()
  return {
    decodeViews: (bytes, preprocessing, scales, { limits, signal } = {}) => {
      const abandoned = new Uint8Array(new SharedArrayBuffer(1))
      return pool.run({ bytes, preprocessing, scales, limits, mayBeLarge: false, abandoned }, signal)
    },
    waiting: () => pool.waiting,
    close: () => pool.close(),
  }
}
