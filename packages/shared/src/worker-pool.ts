/** What is used of a worker thread; tests put another in its place. */
export interface WorkerThread {
  on(event: string, listener: (value: unknown) => void): unknown
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void
  terminate(): Promise<unknown>
}

/** What a message of a thread says. `again`: the task goes back to the front of the queue. */
export type Report<Reply> =
  | { readonly kind: 'ready' | 'again' }
  | { readonly kind: 'done'; readonly reply: Reply }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'unusable'; readonly reason: string; readonly error: Error }

export interface WorkerPoolOptions {
  readonly threads: number
  /** Threads take no task before they report `ready`. Otherwise they take one at once. */
  readonly waitForReady?: boolean
  /** Called when a thread stopped by itself, before its replacement starts. */
  readonly onLost?: ((reason: string) => void) | undefined
  /** Called when what waits may go on: a thread has become ready, or none can be started and all is refused. */
  readonly onTurn?: (() => void) | undefined
}

interface Job<Task, Reply> {
  readonly task: Task
  readonly signal: AbortSignal | undefined
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
  retried: boolean
}

interface Member<Task, Reply> {
  readonly thread: WorkerThread
  readonly ended: Promise<void>
  ready: boolean
  /** It has sent a message: its start did not fail. */
  proven: boolean
  job: Job<Task, Reply> | null
}

/** Pause before a thread is started again, after the given number of starts that failed in a row. */
function pauseMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(30_000, 100 * 2 ** failures)
}

/**
 * Worker threads that work on one task each. A thread that stops is replaced, and its task is given to another thread
 * once; a task that stops two threads is refused.
 */
export abstract class WorkerPool<Task, Reply> {
  readonly #options: WorkerPoolOptions
  readonly #members = new Set<Member<Task, Reply>>()
  readonly #queue: Job<Task, Reply>[] = []
  /** Starts to come, with the time of `performance.now()` when they are due. */
  readonly #restarts = new Map<NodeJS.Timeout, number>()
  #failures = 0
  #started = false
  #closed = false

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  protected abstract createThread(): WorkerThread
  protected abstract post(thread: WorkerThread, task: Task): void
  /** What a message says; `task`: what the thread works on. */
  protected abstract read(message: unknown, task: Task | null): Report<Reply>
  /** Asks a thread to end. */
  protected abstract end(thread: WorkerThread): void
  /** The error of a task that stopped two threads or met a closed pool, and of a first start that failed. */
  protected abstract lost(reason: string): Error
  /** The error while no thread can be started. */
  protected abstract down(retrySeconds: number): Error

  protected startFailed(reason: string): Error {
    return this.lost(reason)
  }

  /** Whether a task may begin beside those that run. */
  protected mayBegin(_task: Task, _running: readonly Task[]): boolean {
    return true
  }

  /** Called when a running task is aborted. */
  protected abandon(_task: Task): void {}

  /** Threads that take tasks. */
  get ready(): number {
    return [...this.#members].filter(({ ready }) => ready).length
  }

  /** Threads that take tasks and have none. */
  get free(): number {
    return [...this.#members].filter(({ ready, job }) => ready && !job).length
  }

  /** Tasks that wait for a thread. */
  get waiting(): number {
    return this.#queue.length
  }

  /**
   * Seconds until a thread is started again, 0: one is being started. Null unless no thread is ready and the last start
   * failed: a thread that is lost is replaced within a moment as a rule, for which a task can wait.
   */
  get retrySeconds(): number | null {
    if (this.#failures === 0 || this.ready > 0) return null
    const isStarting = this.#members.size > 0 || this.#restarts.size === 0
    return isStarting ? 0 : Math.max(0, Math.min(...this.#restarts.values()) - performance.now()) / 1000
  }

  /** Starts every thread and resolves when all are ready; closes the pool and rejects when one cannot be started. */
  async start(): Promise<void> {
    try {
      await Promise.all(Array.from({ length: this.#options.threads }, () => this.#hire()))
      this.#started = true
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /**
   * Runs a task on a free thread, in turn when there is none. Rejects with `lost` or `down`, with what the thread reports,
   * or with the reason of `signal` at once: a task that waits is dropped then.
   */
  run(task: Task, signal?: AbortSignal): Promise<Reply> {
    if (this.#closed) return Promise.reject(this.lost('the pool is closed'))
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    const { retrySeconds } = this
    if (retrySeconds !== null) return Promise.reject(this.down(retrySeconds))
    let stop: () => void
    const reply = new Promise<Reply>((resolve, reject) => {
      const job = { task, signal, resolve, reject, retried: false }
      stop = () => {
        if (this.#queue.includes(job)) this.#queue.splice(this.#queue.indexOf(job), 1)
        else this.abandon(task)
        reject(signal?.reason as Error)
      }
      signal?.addEventListener('abort', stop, { once: true })
      this.#queue.push(job)
      this.#dispatch()
    })
    return signal ? reply.finally(() => signal.removeEventListener('abort', stop)) : reply
  }

  /** Throws the error `down` while no thread can be started. */
  assertRunnable(): void {
    const { retrySeconds } = this
    if (retrySeconds !== null) throw this.down(retrySeconds)
  }

  /** Refuses what waits, asks the threads to end and resolves when they have. */
  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#restarts.keys()) clearTimeout(timer)
    this.#restarts.clear()
    for (const { reject } of this.#queue.splice(0)) reject(this.lost('the pool is closed'))
    const members = [...this.#members]
    for (const { thread } of members) this.end(thread)
    await Promise.all(members.map(({ ended }) => ended))
  }

  #hire(): Promise<void> {
    const thread = this.createThread()
    const ended = new Promise<void>((resolve) => thread.on('exit', () => resolve()))
    const member: Member<Task, Reply> = { thread, ended, ready: !this.#options.waitForReady, proven: false, job: null }
    this.#members.add(member)
    return new Promise((resolve, reject) => {
      if (member.ready) resolve()
      let reason = 'it exited'
      let failure: Error | undefined
      thread.on('error', (error) => (reason = String(error)))
      thread.on('message', (message) => {
        const report = this.read(message, member.job?.task ?? null)
        if (report.kind === 'unusable') {
          reason = report.reason
          failure = report.error
          return
        }
        // Only a start that succeeded ends the back-off: others may answer while one cannot start.
        if (!member.proven) this.#failures = 0
        member.proven = true
        if (report.kind === 'ready') {
          member.ready = true
          resolve()
        } else this.#finish(member, report)
        this.#dispatch()
        if (report.kind === 'ready') this.#options.onTurn?.()
      })
      thread.on('exit', () => {
        this.#members.delete(member)
        reject(failure ?? this.startFailed(reason))
        this.#exited(member, reason)
      })
    })
  }

  #exited({ job, proven }: Member<Task, Reply>, reason: string): void {
    if (job) this.#retry(job, reason)
    // A first start that fails is reported by start() and not repeated.
    if (this.#closed || (!this.#started && !proven)) return
    this.#options.onLost?.(reason)
    // What was told that a thread is lost may have closed the pool.
    if (this.#closed) return
    if (!proven) this.#failures++
    const pause = pauseMs(this.#failures)
    const timer = setTimeout(() => {
      this.#restarts.delete(timer)
      // The exit handler tries again.
      this.#hire().catch(() => {})
      this.#dispatch()
    }, pause)
    this.#restarts.set(timer, performance.now() + pause)
    this.#refuseIfDown()
  }

  /** No task waits until its deadline for a thread that may not come. */
  #refuseIfDown(): void {
    const { retrySeconds } = this
    if (retrySeconds === null) return
    for (const { reject } of this.#queue.splice(0)) reject(this.down(retrySeconds))
    this.#options.onTurn?.()
  }

  #retry(job: Job<Task, Reply>, reason: string): void {
    if (job.retried || this.#closed) return job.reject(this.lost(reason))
    job.retried = true
    this.#putFirst(job)
    this.#dispatch()
  }

  #putFirst(job: Job<Task, Reply>): void {
    if (!job.signal?.aborted) this.#queue.unshift(job)
  }

  #finish(member: Member<Task, Reply>, report: Exclude<Report<Reply>, { kind: 'unusable' }>): void {
    const { job } = member
    member.job = null
    if (!job) return
    if (report.kind === 'done') job.resolve(report.reply)
    else if (report.kind === 'failed') job.reject(report.error)
    else this.#putFirst(job)
  }

  #dispatch(): void {
    for (const member of this.#members) {
      if (!member.ready || member.job || this.#closed) continue
      const running = [...this.#members].flatMap(({ job }) => (job ? [job.task] : []))
      const next = this.#queue.findIndex(({ task }) => this.mayBegin(task, running))
      const job = this.#queue[next]
      if (!job) return
      this.#queue.splice(next, 1)
      member.job = job
      this.post(member.thread, job.task)
    }
  }
}
