import { closedLoop, openLoop, type Answered } from './open-loop.ts'
import type { Question } from './ask.ts'
import { quantile } from './statistics.ts'

/** What became of the requests that had the same time to be answered. */
export interface DeadlineClass {
  readonly deadlineMs: number
  readonly sent: number
  /** With 200. */
  readonly answered: number
  /** With 503. */
  readonly refused: number
  /** With 504: admitted, and not ready in time after all. */
  readonly late: number
  /** Views of an answer, on average; NaN of none. */
  readonly views: number
}

/** What became of the requests of one load. Times in milliseconds from when a request was due. */
export interface Overload {
  readonly sent: number
  readonly statuses: Readonly<Record<string, number>>
  /** Of the answers with 200, by the policy that they were answered with. */
  readonly policies: Readonly<Record<string, number>>
  /** By deadline, in the order of the load. */
  readonly classes: readonly DeadlineClass[]
  /** Share of those that were admitted, which are answered with 200 or 504, that were late; NaN of none. */
  readonly lateShare: number
  /** Of those: the 99th percentile of time over deadline; 1 is as late as may be. */
  readonly shareOfDeadline: number
  readonly admittedP99: number
  /** Of the answers with 503. */
  readonly refusedP50: number
  readonly refusedP99: number
  /**
   * The median of the 99th percentiles of windows of ten seconds: what the service does while the sender, which shares
   * its cores, is not the one that is late.
   */
  readonly refusedMedianP99: number
  /** Retry-After of those; null: one had none. */
  readonly retryAfter: readonly (string | null)[]
  /** Of `/livez`, asked all the time. */
  readonly livezP99: number
  readonly livezMedianP99: number
  readonly livezStatuses: Readonly<Record<string, number>>
}

/** Clients and requests that show how much can be answered. */
const askers = 8
const asked = 120

/** Requests a second that can be answered with the fewest views, which is the most that can be answered at all. */
export async function capacity({ url, pictures }: { url: string; pictures: readonly Uint8Array[] }): Promise<number> {
  const question = (index: number): Question => ({
    path: '/classify?tta=none',
    method: 'POST',
    headers: { 'content-type': 'image/jpeg' },
    body: pictures[index % pictures.length]!,
  })
  await closedLoop({ url, clients: askers, count: askers * 2, question })
  return closedLoop({ url, clients: askers, count: asked, question })
}

/** Times a second that `/livez` is asked. */
const livezRate = 20

/**
 * Sends more requests than can be answered, or as many as can: `rate` a second for `seconds`, with the deadlines in
 * turn, while `/livez` is asked.
 */
export async function overload(options: {
  readonly url: string
  readonly rate: number
  readonly seconds: number
  readonly deadlinesMs: readonly number[]
  readonly pictures: readonly Uint8Array[]
  readonly seed: number
}): Promise<Overload> {
  const { url, rate, seconds, deadlinesMs, pictures, seed } = options
  const deadline = (index: number): number => deadlinesMs[index % deadlinesMs.length]!
  const question = (index: number): Question => ({
    path: '/classify',
    method: 'POST',
    headers: { 'content-type': 'image/jpeg', 'x-request-timeout-ms': String(deadline(index)) },
    body: pictures[index % pictures.length]!,
  })
  const [answers, livez] = await Promise.all([
    openLoop({ url, rate, count: Math.round(rate * seconds), seed, question }),
    openLoop({
      url,
      rate: livezRate,
      count: livezRate * seconds,
      seed: seed + 1,
      question: () => ({ path: '/livez' }),
    }),
  ])
  const withStatus = (status: number): Answered[] => answers.filter(({ reply }) => reply.status === status)
  const [admitted, refused] = [withStatus(200), withStatus(503)]
  const timeout = ({ question: { headers } }: Answered): number => Number(headers!['x-request-timeout-ms'])
  const late = withStatus(504).length
  return {
    sent: answers.length,
    statuses: count(answers.map(({ reply }) => reply.status)),
    policies: count(admitted.map((each) => viewsOf(each).policy)),
    classes: deadlinesMs.map((deadlineMs) =>
      describe(
        deadlineMs,
        answers.filter((each) => timeout(each) === deadlineMs),
      ),
    ),
    lateShare: late / (late + admitted.length),
    shareOfDeadline: quantile(
      admitted.map((each) => each.ms / timeout(each)),
      0.99,
    ),
    admittedP99: quantile(times(admitted), 0.99),
    refusedP50: quantile(times(refused), 0.5),
    refusedP99: quantile(times(refused), 0.99),
    refusedMedianP99: medianP99(refused),
    retryAfter: refused.map(({ reply }) => reply.headers['retry-after'] ?? null),
    livezP99: quantile(times(livez), 0.99),
    livezMedianP99: medianP99(livez),
    livezStatuses: count(livez.map(({ reply }) => reply.status)),
  }
}

function viewsOf({ reply }: Answered): { readonly policy: string; readonly used: number } {
  return (JSON.parse(reply.body) as { views: { policy: string; used: number } }).views
}

function describe(deadlineMs: number, answers: readonly Answered[]): DeadlineClass {
  const withStatus = (status: number): Answered[] => answers.filter(({ reply }) => reply.status === status)
  const answered = withStatus(200)
  return {
    deadlineMs,
    sent: answers.length,
    answered: answered.length,
    refused: withStatus(503).length,
    late: withStatus(504).length,
    views: answered.reduce((sum, each) => sum + viewsOf(each).used, 0) / answered.length,
  }
}

const windowMs = 10_000

/** The median over windows of the 99th percentile of times; a window without requests counts for nothing. */
function medianP99(answers: readonly Answered[]): number {
  const windows = new Map<number, number[]>()
  for (const { due, ms } of answers) {
    const window = Math.floor(due / windowMs)
    windows.set(window, [...(windows.get(window) ?? []), ms])
  }
  return quantile(
    [...windows.values()].map((each) => quantile(each, 0.99)),
    0.5,
  )
}

function times(answers: readonly Answered[]): number[] {
  return answers.map(({ ms }) => ms)
}

/** How often each value occurs. */
export function count(values: readonly (number | string)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}
