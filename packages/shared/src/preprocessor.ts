import { Worker } from 'node:worker_threads'
import { builtModule } from './built-module.ts'
import { FlowersError } from './errors.ts'
import type { ErrorCode } from './errors.ts'
import type { ImageLimits } from './image.ts'
import type { Canvas } from './canvas.ts'
import type { Preprocessing } from './preprocessing.ts'

/** One picture for a worker thread. */
export interface PreprocessTask {
  readonly bytes: Uint8Array
  readonly preprocessing: Preprocessing
  readonly scales: readonly number[]
  readonly limits: ImageLimits | undefined
}

/** What came of one picture: a canvas for each scale, and the seconds that resizing took of its time. */
export interface Preprocessed {
  readonly canvases: Canvas[]
  readonly resizeSeconds: number
}

export type PreprocessReply = Preprocessed | { readonly code: ErrorCode; readonly detail: string }

/** `decodeViews` in worker threads, for a process whose main thread has to stay quick. */
export interface Preprocessor {
  /**
   * As `decodeViews`. `signal` drops a picture that still waits; one that is being decoded runs to its end, but its
   * caller is let go at once.
   */
  decodeViews(
    bytes: Uint8Array,
    preprocessing: Preprocessing,
    scales: readonly number[],
    options?: { limits?: ImageLimits; signal?: AbortSignal },
  ): Promise<Preprocessed>
  /** Pictures that wait for a thread. */
  waiting(): number
  /** Ends the threads; pictures under way and waiting are rejected. */
  close(): Promise<void>
}

interface Job {
  readonly task: PreprocessTask
  retried: boolean
  readonly settle: (reply: PreprocessReply) => void
}

/**
 * Starts `threads` threads, each with one picture at a time, which bounds the memory: a decoded picture takes 3 bytes
 * a pixel. A thread that dies is replaced and its picture tried once more; one that takes a second thread with it fails
 * with INTERNAL.
 */
export function startPreprocessor(options: { threads: number }): Preprocessor {
  const queue: Job[] = []
  const threads = new Set<Worker>()
  const idle: Worker[] = []
  const busy = new Map<Worker, Job>()
  let closed = false

  const finish = (worker: Worker, reply: PreprocessReply): void => {
    const job = busy.get(worker)
    busy.delete(worker)
    job?.settle(reply)
  }

  const start = (): Worker => {
    const worker = new Worker(builtModule(import.meta.url, './preprocess-worker.ts'))
    threads.add(worker)
    let cause = 'it ended'
    worker.on('message', (reply: PreprocessReply) => {
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
    while (queue.length > 0 && !closed) {
      const worker = idle.pop() ?? (threads.size < options.threads ? start() : undefined)
      if (!worker) return
      const job = queue.shift()!
      busy.set(worker, job)
      const bytes = new Uint8Array(job.task.bytes)
      worker.postMessage({ ...job.task, bytes }, [bytes.buffer])
    }
  }

  while (threads.size < options.threads) idle.push(start())

  return {
    decodeViews: (bytes, preprocessing, scales, { limits, signal } = {}) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new FlowersError('INTERNAL', 'The preprocessor is closed.'))
        if (signal?.aborted) return reject(signal.reason as Error)
        const abort = (): void => {
          if (queue.includes(job)) queue.splice(queue.indexOf(job), 1)
          reject(signal?.reason as Error)
        }
        const settle = (reply: PreprocessReply): void => {
          signal?.removeEventListener('abort', abort)
          if ('canvases' in reply) resolve(reply)
          else reject(new FlowersError(reply.code, reply.detail))
        }
        const job: Job = { task: { bytes, preprocessing, scales, limits }, settle, retried: false }
        signal?.addEventListener('abort', abort, { once: true })
        queue.push(job)
        dispatch()
      }),
    waiting: () => queue.length,
    close: async () => {
      closed = true
      for (const job of queue.splice(0)) job.settle({ code: 'INTERNAL', detail: 'The preprocessor was closed.' })
      await Promise.all([...threads].map((worker) => worker.terminate()))
    },
  }
}
