import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'

type Child = ChildProcessByStdio<null, Readable, Readable>

const running = new Set<Child>()
let isListening = false

/**
 * Starts a program without input that ends with this process, and with it all that it started itself: a program in the
 * background would go on, and hold what it works on. It leads a group of its own, so the terminal's Ctrl-C reaches it
 * through this process alone.
 */
export function spawnChild(command: string, parameters: readonly string[], env = process.env): Child {
  const child = spawn(command, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  // Before others remove what the programs write.
  if (!isListening) process.prependOnceListener('exit', killAll)
  isListening = true
  running.add(child)
  child.once('close', () => running.delete(child))
  return child
}

function killAll(): void {
  for (const { pid } of running) {
    if (pid === undefined) continue
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
  }
}
