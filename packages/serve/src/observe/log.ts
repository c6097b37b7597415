import { writeSync } from 'node:fs'

/** How often a reader that is behind is waited for, and how long each time. */
const waits = { count: 10, ms: 10 }

/**
 * The log on standard output. A line that cannot be written (a full disk, a reader that is gone or does not read) is
 * lost, and the service goes on; the next line is tried again.
 */
export const logStream = {
  write(line: string): void {
    let bytes: Uint8Array = Buffer.from(line)
    for (let tries = 0; bytes.length > 0 && tries < waits.count;) {
      try {
        bytes = bytes.subarray(writeSync(1, bytes))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
        tries++
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waits.ms)
      }
    }
  },
}
