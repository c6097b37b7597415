import { vi } from 'vitest'
import { serviceLevel } from '../engine/admission.ts'
import type { ServiceLevel } from '../engine/scheduler/forecast.ts'
import type { ViewInput } from '../engine/messages.ts'
import { Scheduler, type Ticket, type Workers } from '../engine/scheduler/scheduler.ts'
import { arrivals } from './open-loop.ts'
import { uniform } from './statistics.ts'

export interface VirtualLoad {
  /** Workers of one thread. */
  readonly workers: number
  /** Of a view. */
  readonly viewSeconds: number
  /** By how much a run may take longer or shorter than it is expected to: 0.1 is a tenth. */
  readonly noise: number
  readonly decodeSeconds: number
  /** Images that may wait. */
  readonly limit: number
  /** In turn. */
  readonly deadlines: readonly number[]
  /** Requests a second. */
  readonly rate: number
  /** Requests in all. */
  readonly count: number
  readonly seed: number
}

/** What became of the requests with one deadline. */
export interface ClassShares {
  readonly sent: number
  readonly answered: number
  readonly late: number
  readonly refused: number
  /** Views of all answers. */
  readonly views: number
}

/** Views by policy, of a picture that is looked at six times at most and never decided early. */
const viewsOf = { full: 6, exact: 6, fast: 6, none: 1 }

const view: ViewInput = { pixels: new SharedArrayBuffer(1), flip: 'none' }

/**
 * The scheduler under requests at random times, with workers that take as long as they are told, in virtual time: the
 * same each time it is run, however busy the machine is. Gives shares by deadline.
 */
export async function virtualLoad(load: VirtualLoad): Promise<Map<number, ClassShares>> {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'setImmediate'] })
  try {
    return await simulate(load)
  } finally {
    vi.useRealTimers()
  }
}

async function simulate(load: VirtualLoad): Promise<Map<number, ClassShares>> {
  const { workers, viewSeconds, noise, decodeSeconds, limit, deadlines } = load
  const scheduler = new Scheduler({ threads: workers, limit })
  const cost = { seconds: (views: number) => views * viewSeconds }
  const levels = (['exact', 'none'] as const).map((policy) =>
    serviceLevel({ cost, plan: { workers, threads: 1 }, batch: 1 }, policy, viewsOf[policy]),
  )
  const draw = uniform(load.seed)
  const after = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  let busy = 0
  const pool: Workers = {
    get free() {
      return workers - busy
    },
    threads: 1,
    batch: 1,
    seconds: cost.seconds,
    run: async (views) => {
      busy++
      const seconds = viewSeconds * (1 + noise * (2 * draw() - 1))
      await after(seconds)
      busy--
      return { maps: null, known: null, logits: views.map(() => new Float32Array(1)), seconds, prepareSeconds: 0 }
    },
  }
  const shares = new Map(deadlines.map((each) => [each, { sent: 0, answered: 0, late: 0, refused: 0, views: 0 }]))
  const ask = async (seconds: number): Promise<void> => {
    const share = shares.get(seconds)!
    share.sent++
    let ticket: Ticket
    let level: ServiceLevel
    try {
      const admitted = scheduler.admit({ images: 1, levels, decode: decodeSeconds, seconds, stale: false })
      ticket = admitted.tickets[0]!
      level = admitted.level
    } catch {
      share.refused++
      return
    }
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(new Error('late')), seconds * 1000)
    let answered = false
    try {
      await after(decodeSeconds)
      const views = Array.from({ length: viewsOf[level.policy] }, () => view)
      await Promise.all(ticket.run(pool, views, controller.signal))
      answered = !controller.signal.aborted
      share.views += answered ? views.length : 0
    } catch {
      // Late: its views that waited were dropped.
    }
    clearTimeout(timer)
    share[answered ? 'answered' : 'late']++
    ticket.leave(answered)
  }
  const askAll = async (): Promise<void> => {
    const asked: Promise<void>[] = []
    for (const [index, due] of arrivals(load).entries()) {
      await after((due - performance.now()) / 1000)
      asked.push(ask(deadlines[index % deadlines.length]!))
    }
    await Promise.all(asked)
  }
  let over = false
  void askAll().then(() => (over = true))
  while (!over) await vi.advanceTimersByTimeAsync(1000)
  return shares
}
