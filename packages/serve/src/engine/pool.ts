import { Worker } from 'node:worker_threads'
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
  readonly seconds: number
  /** Of those, seconds until the pixels were normalised. */
  readonly prepareSeconds: number
}

export interface PoolOptions {
  /** Built module of the worker thread. */
  readonly module: URL
  readonly workers: number
  readonly settings: WorkerSettings
  /** Called when a worker stopped by itself, before its replacement starts. */
  readonly onLost?: (reason: string) => void
  /** Called when a worker has become warm. */
  readonly onWarm?: () => void
  /** Called when no worker is warm and one could not be started, at each try. */
  readonly onDown?: () => void
}

interface Task {
  readonly views: readonly ViewInput[]
  readonly resolve: (result: RunResult) => void
  readonly reject: (error: Error) => void
  retried: boolean
}

interface Member {
  readonly thread: Worker
  warm: boolean
  task: Task | null
}

/** Pause before a worker is started again, after the given number of starts that failed in a row. */
function pauseMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(30_000, 100 * 2 ** failures)
}

/**
 * Worker threads with one ONNX session each. A worker that stops is replaced and its run given to another worker
 * once; a run that stops two workers is refused.
 */
export class Pool {
  readonly #options: PoolOptions
  readonly #members = new Set<Member>()
  readonly #tasks: Task[] = []
  readonly #measured: BatchSeconds[] = []
  #warmUp: WarmUp
  #explains = false
  #runs = 0
  #failures = 0
  #started = false
  #closed = false
  /** Starts to come, with the time of `performance.now()` when they are due. */
  readonly #restarts = new Map<NodeJS.Timeout, number>()

  constructor(options: PoolOptions) {
    this.#options = options
    this.#warmUp = options.settings.warmUp
  }

  /** Workers that are warm. */
  get ready(): number {
    return [...this.#members].filter((member) => member.warm).length
  }

  /** Workers that are warm and have nothing to do. */
  get free(): number {
    return [...this.#members].filter((member) => member.warm && !member.task).length
  }

  /**
   * Seconds until a worker is started again, 0: one is being started. Null unless no worker is warm and the last start
   * failed: a worker that is lost is replaced within a moment as a rule, for which a run can wait.
   */
  get retrySeconds(): number | null {
    if (this.#failures === 0 || this.ready > 0) return null
    const isStarting = this.#members.size > 0 || this.#restarts.size === 0
    return isStarting ? 0 : Math.max(0, Math.min(...this.#restarts.values()) - performance.now()) / 1000
  }

  /** Whether the network has class maps. */
  get explains(): boolean {
    return this.#explains
  }

  /** What the workers measured when they warmed up. */
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
  async start(): Promise<void> {
    try {
      await Promise.all(Array.from({ length: this.#options.workers }, () => this.#hire()))
      this.#started = true
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /**
   * Runs views as one batch on an idle worker, in turn when there is none.
   * Rejects with SERVICE_WORKER_LOST, with MODEL_OUTPUT when the session refuses the input, or with SERVICE_NOT_READY
   * as {@link assertRunnable}.
   */
  run(views: readonly ViewInput[]): Promise<RunResult> {
    if (this.#closed) return Promise.reject(lost())
    const { retrySeconds } = this
    if (retrySeconds !== null) return Promise.reject(down(retrySeconds))
    return new Promise((resolve, reject) => {
      this.#tasks.push({ views, resolve, reject, retried: false })
      this.#assign()
    })
  }

  /** Throws SERVICE_NOT_READY, with the seconds until the next try, while no worker can be started. */
  assertRunnable(): void {
    const { retrySeconds } = this
    if (retrySeconds !== null) throw down(retrySeconds)
  }

  /**
   * Ends the workers after the runs that are under way; what waits is refused. Never by `terminate()`: onnxruntime-node
   * aborts the process when its thread is ended within a run.
   */
  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#restarts.keys()) clearTimeout(timer)
    this.#restarts.clear()
    for (const task of this.#tasks.splice(0)) task.reject(lost())
    const ended = [...this.#members].map(({ thread }) => new Promise((resolve) => thread.once('exit', resolve)))
    for (const { thread } of this.#members) thread.postMessage({ close: true } satisfies CloseMessage)
    await Promise.all(ended)
  }

  #hire(): Promise<void> {
    const { module } = this.#options
    const settings: WorkerSettings = { ...this.#options.settings, warmUp: this.#warmUp }
    // Options of the process, import conditions of a test runner for one, do not concern built workers.
    const thread = new Worker(module, { workerData: settings, execArgv: [] })
    const member: Member = { thread, warm: false, task: null }
    this.#members.add(member)
    return new Promise((resolve, reject) => {
      let reason = 'it exited'
      let code: 'MODEL_TAMPERED' | 'MODEL_OUTPUT' = 'MODEL_OUTPUT'
      thread.on('error', (error) => (reason = String(error)))
      thread.on('message', (message: WorkerMessage) => {
        if (message.kind === 'warm') {
          member.warm = true
          this.#explains = message.explains
          this.#failures = 0
          this.#measured.push(message.seconds)
          this.#measured.splice(0, this.#measured.length - this.#options.workers)
          resolve()
          this.#assign()
          this.#options.onWarm?.()
        } else if (message.kind === 'unusable') ({ code, reason } = message)
        else this.#finish(member, message)
      })
      thread.on('exit', () => {
        this.#members.delete(member)
        reject(new SharedError(code, `A worker could not be started with ${settings.network}: ${reason}`))
        if (member.task) this.#again(member.task)
        // A first start that fails is reported by start() and not repeated.
        if (this.#closed || (!this.#started && !member.warm)) return
        this.#options.onLost?.(reason)
        if (!member.warm) this.#failures++
        this.#replace()
        this.#refuseIfDown()
      })
    })
  }

  #replace(): void {
    // Whoever heard that the worker was lost may have closed the pool.
    if (this.#closed) return
    const pause = pauseMs(this.#failures)
    const timer = setTimeout(() => {
      this.#restarts.delete(timer)
      // The exit handler tries again.
      this.#hire().catch(() => {})
    }, pause)
    this.#restarts.set(timer, performance.now() + pause)
  }

  /** Nobody waits until the deadline for what may not come. */
  #refuseIfDown(): void {
    const { retrySeconds } = this
    if (retrySeconds === null) return
    for (const task of this.#tasks.splice(0)) task.reject(down(retrySeconds))
    this.#options.onDown?.()
  }

  #again(task: Task): void {
    if (task.retried || this.#closed) return task.reject(lost())
    task.retried = true
    this.#tasks.unshift(task)
    this.#assign()
  }

  #assign(): void {
    for (const member of this.#members) {
      if (!member.warm || member.task) continue
      const task = this.#tasks.shift()
      if (!task) return
      member.task = task
      member.thread.postMessage({ run: ++this.#runs, views: task.views } satisfies RunMessage)
    }
  }

  #finish(member: Member, message: Extract<WorkerMessage, { kind: 'logits' | 'failed' }>): void {
    const task = member.task
    member.task = null
    if (message.kind === 'logits') {
      const { logits, maps, seconds, prepareSeconds } = message
      task?.resolve({ logits: split(logits, this.#options.settings.classes), maps, seconds, prepareSeconds })
    } else task?.reject(new SharedError('MODEL_OUTPUT', message.reason))
    this.#assign()
  }
}

function split(logits: Float32Array, classes: number): Float32Array[] {
  return Array.from({ length: logits.length / classes }, (_, index) =>
    logits.subarray(index * classes, (index + 1) * classes),
  )
}

function lost(): Error {
  return retryLater('SERVICE_WORKER_LOST', 'The worker that ran this image stopped.', 1)
}

function down(seconds: number): Error {
  return retryLater('SERVICE_NOT_READY', 'No worker can be started with the network of this model.', seconds)
}
