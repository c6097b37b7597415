import { Worker } from 'node:worker_threads'
import { builtModule } from '@flowers/shared/built-module'
import { WorkerPool, type Report, type WorkerPoolOptions, type WorkerThread } from '@flowers/shared/worker-pool'
import { SharedError } from '@flowers/shared/errors'
import { retryLater } from '../errors.ts'
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
  /** Output `known` of each view; null when no view asked for it. */
  readonly known: Float32Array | null
  readonly seconds: number
  /** Of those, seconds until the pixels were normalised. */
  readonly prepareSeconds: number
}

export interface PoolOptions extends Pick<WorkerPoolOptions, 'onLost' | 'onTurn'> {
  readonly createWorker: (settings: WorkerSettings) => WorkerThread
  readonly workers: number
  readonly settings: WorkerSettings
}

/** Starts a thread with an ONNX session. */
export function startWorker(settings: WorkerSettings): WorkerThread {
  // Options of the process, import conditions of a test runner for one, do not concern built workers.
  return new Worker(builtModule(import.meta.url, './worker.ts'), { workerData: settings, execArgv: [] })
}

/**
 * Workers with one ONNX session each, which run views as one batch; a worker is `ready` when it is warm.
 *
 * `start` rejects with MODEL_TAMPERED when the network is not what it should be, with MODEL_OUTPUT when it cannot be run;
 * `run` with SERVICE_WORKER_LOST, with MODEL_OUTPUT when the session refuses the input, or with SERVICE_NOT_READY and the
 * seconds until the next try while no worker can be started.
 */
export class Pool extends WorkerPool<readonly ViewInput[], RunResult> {
  readonly #options: PoolOptions
  readonly #measured: BatchSeconds[] = []
  #warmUp: WarmUp
  #explains = false
  #runs = 0

  constructor(options: PoolOptions) {
    super({ threads: options.workers, waitForReady: true, onLost: options.onLost, onTurn: options.onTurn })
    this.#options = options
    this.#warmUp = options.settings.warmUp
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

  protected createThread(): WorkerThread {
    return this.#options.createWorker({ ...this.#options.settings, warmUp: this.#warmUp })
  }

  protected post(thread: WorkerThread, views: readonly ViewInput[]): void {
    thread.postMessage({ run: ++this.#runs, views } satisfies RunMessage)
  }

  protected read(raw: unknown): Report<RunResult> {
    const message = raw as WorkerMessage
    if (message.kind === 'unusable') return { ...message, error: this.#unusable(message.code, message.reason) }
    if (message.kind === 'failed') return { ...message, error: new SharedError('MODEL_OUTPUT', message.reason) }
    if (message.kind === 'logits') {
      const { maps, known, seconds, prepareSeconds } = message
      const logits = split(message.logits, this.#options.settings.classes)
      return { kind: 'done', reply: { logits, maps, known, seconds, prepareSeconds } }
    }
    this.#explains = message.explains
    this.#measured.push(message.seconds)
    this.#measured.splice(0, this.#measured.length - this.#options.workers)
    return { kind: 'ready' }
  }

  /** Not by `terminate()`: onnxruntime-node aborts the process when its thread is ended within a run. */
  protected end(thread: WorkerThread): void {
    thread.postMessage({ close: true } satisfies CloseMessage)
  }

  protected lost(): Error {
    return retryLater('SERVICE_WORKER_LOST', 'The worker that ran this image stopped.', 1)
  }

  protected down(seconds: number): Error {
    return retryLater('SERVICE_NOT_READY', 'No worker can be started with the network of this model.', seconds)
  }

  protected override startFailed(reason: string): Error {
    return this.#unusable('MODEL_OUTPUT', reason)
  }

  #unusable(code: 'MODEL_TAMPERED' | 'MODEL_OUTPUT', reason: string): Error {
    return new SharedError(code, `A worker could not be started with ${this.#options.settings.network}: ${reason}`)
  }
}

function split(logits: Float32Array, classes: number): Float32Array[] {
  return Array.from({ length: logits.length / classes }, (_, index) =>
    logits.subarray(index * classes, (index + 1) * classes),
  )
}
