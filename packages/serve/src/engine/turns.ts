/** Work that is done one after the other, in the order in which it was asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Gives what `work` gives, once all that was asked for before has ended, in whatever way. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  /** Resolves when all that was asked for until now has ended. */
  async ended(): Promise<void> {
    await this.#last
  }
}
