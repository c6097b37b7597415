/** Runs asynchronous jobs one after the other, in the order they were given; a failed one does not stop the next. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()
  #pending = 0

  add<T>(job: () => Promise<T>): Promise<T> {
    this.#pending++
    const result = this.#last.then(job, job).finally(() => this.#pending--)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Does `job` after the jobs given so far: at once when there are none. */
  afterwards(job: () => void): void {
    if (this.#pending === 0) job()
    // Only a defect of ours can make it fail; the process's handler of unhandled rejections reports it.
    else void this.#last.then(job)
  }

  /** Resolves when every job given so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
