/**
 * Results of `work` in the order of `items`, at most `ahead` of them begun before the one that is waited for is taken.
 * Ending the iteration early begins no more and waits for what has begun. The first failure, in order, is thrown.
 */
export async function* mapAhead<T, R>(
  items: Iterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const source = items[Symbol.iterator]()
  const begun: Promise<R>[] = []
  const refill = (): void => {
    while (begun.length < ahead) {
      const next = source.next()
      if (next.done) return
      const result = work(next.value)
      // Its failure is met when its turn comes.
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
    await Promise.allSettled(begun)
  }
}
