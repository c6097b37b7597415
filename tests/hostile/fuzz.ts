import { readFile } from 'node:fs/promises'
import { solid } from '@flowers/serve/testing/pictures'
import { startProcess } from '@flowers/serve/testing/process'
import { until } from '@flowers/serve/testing/service'
import { problems, type ProblemCode } from '@flowers/serve/errors'
import { exchange, Hang, type RawAnswer } from './connection.ts'
import { Random } from './random.ts'
import { seedImages } from './mutate.ts'
import { kinds, makeRequest } from './requests.ts'
import type { HostileRequest } from './frame.ts'

/** What became of the requests of one kind. */
interface KindResult {
  readonly kind: string
  requests: number
  /** Those that were closed without an answer; no complete request is. */
  closed: number
  readonly statuses: Map<number, number>
}

export interface FuzzResult {
  readonly kinds: readonly KindResult[]
  /** Sentences, each with the number of the request that it happened with. */
  readonly violations: readonly string[]
  /** Resident bytes after half of the requests, when each kind has been as large as it gets, and at the end. */
  readonly resident: readonly [early: number, late: number]
  /** The most resident bytes that there were at any time. */
  readonly peak: number
  /** Label of a good picture afterwards. */
  readonly label: string
  readonly idle: boolean
  /** Exit code of the service at SIGTERM. */
  readonly code: number | null
}

const concurrency = 8

/** After so many hostile requests a good one is asked among them. */
const goodEvery = 100

/** Statuses of which there is a problem, without that of a fault of the service. */
const refusals = new Set(
  Object.values(problems)
    .map(({ status }) => status)
    .filter((status) => status !== 500),
)

/** Sends `requests` seeded hostile requests to a service of its own and looks at each answer. */
export async function fuzz(options: { requests: number; seed: number }): Promise<FuzzResult> {
  const images = await seedImages()
  const service = await startProcess()
  const port = Number(new URL(service.url).port)
  const memory = async (what: 'VmRSS' | 'VmHWM'): Promise<number> => {
    const status = await readFile(`/proc/${service.pid}/status`, 'utf8')
    return 1024 * Number(new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(status)![1])
  }
  const results = new Map(
    kinds.map((kind) => [kind, { kind, requests: 0, closed: 0, statuses: new Map<number, number>() }]),
  )
  const violations: string[] = []
  let early = 0
  let next = 0
  const picture = new Uint8Array(await solid('#ff0000'))
  const askGood = async (): Promise<string> => {
    const response = await fetch(`${service.url}/classify`, { method: 'POST', body: picture })
    const answer = (await response.json()) as { predictions?: { label: string }[] }
    return answer.predictions?.[0]?.label ?? `${response.status}`
  }
  const client = async (): Promise<void> => {
    while (next < options.requests) {
      const index = next++
      const request = makeRequest(new Random(options.seed * 1_000_003 + index), images)
      const result = results.get(request.kind)!
      result.requests++
      try {
        const answer = await exchange({
          port,
          bytes: request.bytes,
          halfClose: !request.complete,
          head: request.method === 'HEAD',
          answers: request.followed ? 2 : 1,
        })
        if (answer) result.statuses.set(answer.status, (result.statuses.get(answer.status) ?? 0) + 1)
        else result.closed++
        const wrong = violation(request, answer)
        if (wrong) violations.push(`${index} (${request.kind}): ${wrong}`)
      } catch (error) {
        if (!(error instanceof Hang)) throw error
        violations.push(`${index} (${request.kind}): ${error.message}`)
      }
      if (index % goodEvery === 0) {
        const label = await askGood()
        if (label !== 'red') violations.push(`${index}: a red picture among them: ${label}`)
      }
      if (index === Math.floor(options.requests / 2)) early = await memory('VmRSS')
    }
  }
  try {
    await Promise.all(Array.from({ length: concurrency }, client))
    const idle = async (): Promise<boolean> => {
      const text = await (await fetch(`${service.url}/metrics`)).text()
      const gauges = ['flowers_queue_depth', 'flowers_workers_busy', 'flowers_http_requests_in_flight']
      return gauges.map((gauge) => new RegExp(`^${gauge} (\\d+)$`, 'm').exec(text)?.[1]).join() === '0,0,1'
    }
    await until(idle)
    const label = await askGood()
    await until(idle)
    return {
      kinds: [...results.values()],
      violations,
      resident: [early, await memory('VmRSS')],
      peak: await memory('VmHWM'),
      label,
      idle: true,
      code: await service.stop(),
    }
  } finally {
    await service.stop()
  }
}

/** What is wrong with an answer, if anything. */
function violation(request: HostileRequest, answer: RawAnswer | null): string | null {
  if (!answer) return request.complete ? 'closed without an answer' : null
  const { status, headers, body } = answer
  const type = headers.get('content-type') ?? ''
  const shown = `${status} ${type} ${body.slice(0, 300)}`
  if (request.followed) return status === 200 && body === '{"status":"alive"}' ? null : `the next request: ${shown}`
  if (status < 400) return status === 200 || status === 204 ? null : shown
  if (!refusals.has(status)) return shown
  if (request.method === 'HEAD') return null
  const value = parse(body)
  const code = type.startsWith('application/problem+json')
    ? value?.['code']
    : request.path.startsWith('/v2') && type.startsWith('application/json')
      ? String(value?.['error']).split(':')[0]
      : undefined
  const known = typeof code === 'string' && Object.hasOwn(problems, code) ? problems[code as ProblemCode] : undefined
  if (known?.status !== status) return shown
  return status === 503 && !/^[1-9]\d*$/.test(headers.get('retry-after') ?? '')
    ? `503 without Retry-After: ${shown}`
    : null
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}
