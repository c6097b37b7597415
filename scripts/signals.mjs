/**
 * Ctrl-C reaches a process from the terminal, and once more from npm, which passes on what it was sent itself. A program
 * for which the second Ctrl-C means "at once" must not see the copy: a signal within half a second of the same is
 * dropped. To be called before the program listens for signals.
 */
export function dropCopiedSignals() {
  /** @type {(...values: any[]) => boolean} */
  const emit = process.emit.bind(process)
  const last = new Map([
    ['SIGINT', -Infinity],
    ['SIGTERM', -Infinity],
  ])
  // Node binds process.emit when a signal gets its first listener.
  Object.assign(process, {
    /** @param {any[]} values */
    emit: (...values) => {
      const before = last.get(values[0])
      if (before === undefined) return emit(...values)
      const now = performance.now()
      last.set(values[0], now)
      return now - before < 500 ? true : emit(...values)
    },
  })
}
