import { Worker } from 'node:worker_threads'
import { builtModule } from '@flowers/shared/built-module'
import { FlowersError } from '@flowers/shared/errors'
import { WorkerPool } from '@flowers/shared/worker-pool'
import type { Report, WorkerThread } from '@flowers/shared/worker-pool'
import { retryLater } from '../service-error.ts'
import type {
  BatchSeconds,
  ClassMaps,
  CloseMessage,
  RunMessage,
  ViewInput,
  WarmUp,
  WorkerMessage,
  WorkerSettings,
} from './messages.ts'

/** Logits of a run, one array of `classes` values a view, and the seconds it took in the worker. */
export interface RunResult {
  readonly logits: Float32Array[]
  /** Of each view; null when no view asked for them. */
  readonly maps: readonly ClassMaps[] | null
  readonly seconds: number
  /** Of those, seconds until the pixels were normalised. */
  readonly prepareSeconds: number
}

export interface PoolOptions {
  readonly createWorker: (settings: WorkerSettings) => WorkerThread
  readonly workers: number
  readonly settings: WorkerSettings
  /** Called when a worker stopped by itself, before its replacement starts. */
  readonly onLost?: (reason: string) => void
  /** Called when what waits may go on: a worker has become warm, or none can be started and all is refused. */
  readonly onTurn?: () => void
}

/** Starts a thread with an ONNX session. */
export function startWorker(settings: WorkerSettings): WorkerThread {
  // Options of the process, import conditions of a test runner for one, do not concern built workers.
  return new Worker(builtModule(import.meta.url, './worker.ts'), { workerData: settings, execArgv: [] })
}

/**
 * Workers with one ONNX session each. A worker that stops is replaced and its run given to another worker once; a run
 * that stops two workers is refused with SERVICE_WORKER_LOST.
 */
export class Pool {
  readonly #settings: WorkerSettings
  readonly #workers: WorkerPool<readonly ViewInput[], RunResult>
  readonly #measured: BatchSeconds[] = []
  readonly #count: number
  #warmUp: WarmUp
  #explains = false
  #runs = 0

  constructor({ createWorker, workers, settings, onLost, onTurn }: PoolOptions) {
    this.#settings = settings
    this.#count = workers
    this.#warmUp = settings.warmUp
    this.#workers = new WorkerPool({
      threads: workers,
      createThread: () => createWorker({ ...settings, warmUp: this.#warmUp }),
      post: (thread, views) => thread.postMessage({ run: ++this.#runs, views } satisfies RunMessage),
      read: (message) => this.#read(message as WorkerMessage),
      // Never by `terminate()`: onnxruntime-node aborts the process when its thread is ended within a run.
      end: (thread) => thread.postMessage({ close: true } satisfies CloseMessage),
      waitForReady: true,
      errors: {
        lost: () => retryLater('SERVICE_WORKER_LOST', 'The worker that ran this image stopped.', 1),
        start: (reason) => this.#unusable('MODEL_OUTPUT', reason),
        down: (seconds) =>
          retryLater('SERVICE_NOT_READY', 'No worker can be started with the network of this model.', seconds),
      },
      onLost,
      onReady: onTurn,
      onDown: onTurn,
    })
  }

  /** Workers that are warm. */
  get ready(): number {
    return this.#workers.ready
  }

  /** Workers that are warm and have nothing to do. */
  get free(): number {
    return this.#workers.free
  }

  /** Seconds until a worker is started again, null while runs can be taken; see `WorkerPool`. */
  get retrySeconds(): number | null {
    return this.#workers.retrySeconds
  }

  /** Whether the network has class maps. */
  get explains(): boolean {
    return this.#explains
  }

  /** What the workers measured when they warmed up, the last start of each. */
  get measured(): readonly BatchSeconds[] {
    return this.#measured
  }

  /** How workers warm up that start from now on. */
  warmUpBy(warmUp: WarmUp): void {
    this.#warmUp = warmUp
  }

  /**
   * Starts and warms every worker. Rejects with MODEL_TAMPERED when the network is not what it should be, with
   * MODEL_OUTPUT when it cannot be run.
   */
  start(): Promise<void> {
    return this.#workers.start()
  }

  /**
   * Runs views as one batch on an idle worker, in turn when there is none.
   * Rejects with SERVICE_WORKER_LOST, with MODEL_OUTPUT when the session refuses the input, or with SERVICE_NOT_READY
   * as {@link assertRunnable}.
   */
  run(views: readonly ViewInput[]): Promise<RunResult> {
    return this.#workers.run(views)
  }

  /** Throws SERVICE_NOT_READY, with the seconds until the next try, while no worker can be started. */
  assertRunnable(): void {
    this.#workers.assertRunnable()
  }

  /** Ends the workers after the runs that are under way; what waits is refused. */
  close(): Promise<void> {
    return this.#workers.close()
  }

  #read(message: WorkerMessage): Report<RunResult> {
    if (message.kind === 'unusable') return { ...message, error: this.#unusable(message.code, message.reason) }
    if (message.kind === 'failed') return { ...message, error: new FlowersError('MODEL_OUTPUT', message.reason) }
    if (message.kind === 'logits') {
      const { maps, seconds, prepareSeconds } = message
      const logits = split(message.logits, this.#settings.classes)
      return { kind: 'done', reply: { logits, maps, seconds, prepareSeconds } }
    }
    this.#explains = message.explains
    this.#measured.push(message.seconds)
    this.#measured.splice(0, this.#measured.length - this.#count)
    return { kind: 'ready' }
  }

  #unusable(code: 'MODEL_TAMPERED' | 'MODEL_OUTPUT', reason: string): Error {
    return new FlowersError(code, `A worker could not be started with ${this.#settings.network}: ${reason}`)
  }
}

function split(logits: Float32Array, classes: number): Float32Array[] {
  return Array.from({ length: logits.length / classes }, (_, index) =>
    logits.subarray(index * classes, (index + 1) * classes),
  )
}
