const undoings = new Set<() => void>()
let isListening = false

/**
 * Calls `undo` when the process ends while something is half done, however it ends but for SIGKILL: at `process.exit` too,
 * which no `finally` sees. `undo` cannot wait; what it throws is passed over. Returns what takes it back once all is done.
 */
export function atExit(undo: () => void): () => void {
  if (!isListening) {
    isListening = true
    process.once('exit', undoAll)
  }
  undoings.add(undo)
  return () => void undoings.delete(undo)
}

/** The latest first. */
function undoAll(): void {
  for (const undo of [...undoings].toReversed()) {
    try {
      undo()
    } catch {
      // The others have their turn.
    }
  }
}
