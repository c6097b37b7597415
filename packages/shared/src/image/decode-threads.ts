import { Worker } from 'node:worker_threads'
import { builtModule } from '../built-module.ts'
import { SharedError } from '../errors.ts'
import type { SharedErrorCode } from '../errors.ts'
import type { ImageLimits } from './decode.ts'
import type { Canvas } from './canvas.ts'
import type { Preprocessing } from './preprocessing.ts'

/** One picture for a worker thread. */
export interface DecodeTask {
  readonly bytes: Uint8Array
  readonly preprocessing: Preprocessing
  readonly scales: readonly number[]
  readonly limits: ImageLimits | undefined
  /** No other large picture is being decoded: this one may be. */
  readonly mayBeLarge: boolean
  /** One byte, 1 from when nobody waits for the picture. */
  readonly abandoned: Uint8Array<SharedArrayBuffer>
}

/** What came of one picture: a canvas for each scale, and the seconds that resizing took of its time. */
export interface Decoded {
  readonly canvases: Canvas[]
  readonly resizeSeconds: number
}

/** `large`: the picture is not decoded, as it is too large for being so beside another such one. */
export type DecodeReply =
  | Decoded
  | { readonly code: SharedErrorCode; readonly detail: string }
  | { readonly large: true }

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

/** What is used of a worker thread; tests put another in its place. */
export type DecodeThread = Pick<Worker, 'on' | 'postMessage' | 'terminate'>

interface Job {
  /** As it is given to a thread, but for `mayBeLarge`. */
  readonly task: Omit<DecodeTask, 'mayBeLarge'>
  retried: boolean
  /** A thread has found it large. */
  large: boolean
  readonly settle: (reply: Exclude<DecodeReply, { large: true }>) => void
}

/**
 * Starts `threads` threads, each with one picture at a time, and of all of them one at most with a large picture, which
 * bounds the memory: a decoded picture takes 3 bytes a pixel, and some formats many more on the way. So that others need
 * not wait for a large one either, where there is more than one thread. A thread that dies is replaced and its picture
 * tried once more; one that takes a second thread with it fails
 * with INTERNAL.
 */
export function startDecoder(options: { threads: number; createThread?: () => DecodeThread }): Decoder {
  const { createThread = () => new Worker(builtModule(import.meta.url, './decode-worker.ts')) } = options
  const queue: Job[] = []
  const threads = new Set<DecodeThread>()
  const idle: DecodeThread[] = []
  const busy = new Map<DecodeThread, Job>()
  let closed = false

  const finish = (worker: DecodeThread, reply: DecodeReply): void => {
    const job = busy.get(worker)
    busy.delete(worker)
    if (!job) return
    if (!('large' in reply)) return job.settle(reply)
    job.large = true
    // In its turn, unless nobody waits for it any more.
    if (job.task.abandoned[0] === 0) queue.unshift(job)
  }

  const start = (): DecodeThread => {
    const worker = createThread()
    threads.add(worker)
    let cause = 'it ended'
    worker.on('message', (reply: DecodeReply) => {
      finish(worker, reply)
      idle.push(worker)
      dispatch()
    })
    worker.on('error', (error: unknown) => (cause = String(error)))
    worker.on('exit', () => {
      threads.delete(worker)
      if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1)
      const job = busy.get(worker)
      if (job && !job.retried && !closed) {
        job.retried = true
        busy.delete(worker)
        queue.unshift(job)
      } else finish(worker, { code: 'INTERNAL', detail: `The thread that decodes pictures stopped: ${cause}.` })
      dispatch()
    })
    return worker
  }

  const dispatch = (): void => {
    while (!closed) {
      const isLarge = [...busy.values()].some(({ large }) => large)
      const next = queue.findIndex(({ large }) => !large || !isLarge)
      if (next < 0) return
      const worker = idle.pop() ?? (threads.size < options.threads ? start() : undefined)
      if (!worker) return
      const [job] = queue.splice(next, 1)
      busy.set(worker, job!)
      const bytes = new Uint8Array(job!.task.bytes)
      worker.postMessage({ ...job!.task, bytes, mayBeLarge: job!.large }, [bytes.buffer])
    }
  }

  while (threads.size < options.threads) idle.push(start())

  return {
    decodeViews: (bytes, preprocessing, scales, { limits, signal } = {}) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new SharedError('INTERNAL', 'The decoder is closed.'))
        if (signal?.aborted) return reject(signal.reason as Error)
        const abort = (): void => {
          job.task.abandoned[0] = 1
          if (queue.includes(job)) queue.splice(queue.indexOf(job), 1)
          reject(signal?.reason as Error)
        }
        const settle: Job['settle'] = (reply) => {
          signal?.removeEventListener('abort', abort)
          if ('canvases' in reply) resolve(reply)
          else reject(new SharedError(reply.code, reply.detail))
        }
        const abandoned = new Uint8Array(new SharedArrayBuffer(1))
        const task = { bytes, preprocessing, scales, limits, abandoned }
        const job: Job = { task, settle, retried: false, large: false }
        signal?.addEventListener('abort', abort, { once: true })
        queue.push(job)
        dispatch()
      }),
    waiting: () => queue.length,
    close: async () => {
      closed = true
      for (const job of queue.splice(0)) job.settle({ code: 'INTERNAL', detail: 'The decoder was closed.' })
      await Promise.all([...threads].map((worker) => worker.terminate()))
    },
  }
}
