import { ask, connections, type Question, type Reply } from './ask.ts'
import { uniform } from './statistics.ts'

export interface OpenLoop {
  readonly url: string
  /** Requests a second, on average. */
  readonly rate: number
  /** How many requests are sent. */
  readonly count: number
  readonly seed: number
  /** The request of this number, from 0. */
  readonly question: (index: number) => Question
  /** Nothing is sent any more once it is aborted. */
  readonly signal?: AbortSignal
  /** Milliseconds of a clock that only rises. */
  readonly now?: () => number
}

export interface Answered {
  readonly question: Question
  readonly reply: Reply
  /** Milliseconds from the start of the load until the request was due. */
  readonly due: number
  /** Milliseconds from the moment at which the request was due until its answer was complete. */
  readonly ms: number
}

/** Milliseconds from the start at which each request is due: a Poisson process of `rate` a second. */
export function arrivals({ rate, count, seed }: Pick<OpenLoop, 'rate' | 'count' | 'seed'>): number[] {
  const draw = uniform(seed)
  let due = 0
  return Array.from({ length: count }, () => (due += (-Math.log(1 - draw()) / rate) * 1000))
}

/**
 * Sends requests when they are due, whether or not earlier ones were answered, and times each from when it was due: a
 * service that slows down does not slow down those who ask, as it would where each waits for an answer before it asks
 * again, and a sender that is late counts against the service. Resolves when all are answered.
 */
export async function openLoop(load: OpenLoop): Promise<Answered[]> {
  const { url, question, signal, now = () => performance.now() } = load
  const agent = connections()
  const started = now()
  const answers: Promise<Answered>[] = []
  for (const [index, due] of arrivals(load).entries()) {
    const left = started + due - now()
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left))
    if (signal?.aborted) break
    const asked = question(index)
    answers.push(ask(url, asked, agent).then((reply) => ({ question: asked, reply, due, ms: now() - started - due })))
  }
  const all = await Promise.all(answers)
  agent.destroy()
  return all
}

/** `clients` that ask one request after the other, until `count` are answered in all. Gives requests a second. */
export async function closedLoop(
  load: Pick<OpenLoop, 'url' | 'count' | 'question'> & { readonly clients: number },
): Promise<number> {
  const agent = connections()
  let sent = 0
  const started = performance.now()
  const client = async (): Promise<void> => {
    while (sent < load.count) {
      const { status, body } = await ask(load.url, load.question(sent++), agent)
      if (status !== 200) throw new Error(`A request was answered with ${status}: ${body}`)
    }
  }
  await Promise.all(Array.from({ length: load.clients }, client))
  agent.destroy()
  return load.count / ((performance.now() - started) / 1000)
}
