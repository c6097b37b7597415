/**
 * Results of `work` in the order of `items`, of which at most `ahead` are under way when the next one is taken. A reader
 * that leaves early ends the work: no item is begun, items under way can ask `isEnded`, and the reader waits for them. The
 * first failure, in order, is thrown.
 */
export async function* mapAhead<T, R>(
  items: Iterable<T>,
  ahead: number,
  work: (item: T, isEnded: () => boolean) => Promise<R>,
): AsyncGenerator<R, void> {
  const source = items[Symbol.iterator]()
  const begun: Promise<R>[] = []
  let ended = false
  const refill = (): void => {
    while (begun.length < ahead) {
      const next = source.next()
      if (next.done) return
      const result = work(next.value, () => ended)
      // A failure is thrown when its turn comes.
      result.catch(() => undefined)
      begun.push(result)
    }
  }
  try {
    for (;;) {
      refill()
      const first = begun.shift()
      if (first === undefined) return
      yield await first
    }
  } finally {
    ended = true
    await Promise.allSettled(begun)
  }
}
