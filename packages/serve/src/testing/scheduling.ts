import type { ServiceLevel } from '../engine/scheduler/forecast.ts'
import type { ViewInput } from '../engine/messages.ts'
import type { Admission, Scheduler, Ticket, Workers } from '../engine/scheduler/scheduler.ts'

export const forever: AbortSignal = new AbortController().signal
export const level: ServiceLevel = { policy: 'full', work: 1, latency: 1 }

/** Admits images that ask for a view of a second, and have a minute. */
export function admit(scheduler: Scheduler, change: Partial<Admission> = {}): Ticket[] {
  return scheduler.admit({ images: 1, levels: [level], decode: 0, seconds: 60, stale: false, ...change }).tickets
}

/** Admits one image. */
export function one(scheduler: Scheduler): Ticket {
  return admit(scheduler)[0]!
}

/** A view that is told from others by its first byte. */
export function view(name: number): ViewInput {
  const pixels = new SharedArrayBuffer(3)
  new Uint8Array(pixels)[0] = name
  return { pixels, flip: 'none' }
}

/** Workers whose runs end when the test says so. */
export function workers(count: number, options: { threads?: number; batch?: number } = {}) {
  const runs: number[][] = []
  const ends: ((error?: Error) => void)[] = []
  let busy = 0
  const pool: Workers = {
    get free() {
      return count - busy
    },
    threads: options.threads ?? 1,
    batch: options.batch ?? 1,
    seconds: (views) => views,
    run: (views) => {
      busy++
      runs.push(views.map((each) => ('pixels' in each ? new Uint8Array(each.pixels)[0]! : -1)))
      return new Promise((resolve, reject) => {
        ends.push((error) => {
          busy--
          const logits = views.map((each) => Float32Array.of('pixels' in each ? new Uint8Array(each.pixels)[0]! : -1))
          if (error) reject(error)
          else resolve({ maps: null, known: null, logits, seconds: 0.5, prepareSeconds: 0.1 })
        })
      })
    },
  }
  /** Ends the oldest run that is under way, and waits for what follows from it. */
  const end = async (error?: Error): Promise<void> => {
    ends.shift()!(error)
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
  return { pool, runs, end }
}
