/** Runs asynchronous jobs one after the other, in the order they were given; a failed one does not stop the next. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  add<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job, job)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves when every job given so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
