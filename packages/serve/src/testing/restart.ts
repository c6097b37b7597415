import { openLoop, type Answered } from './open-loop.ts'
import type { Question } from './ask.ts'
import { photo } from './pictures.ts'
import { shippedModels, startProcess } from './process.ts'
import { startProxy } from './proxy.ts'
import { until } from './service.ts'

export interface Stopped {
  readonly answered: number
  /** What else came back than 200: status and body. */
  readonly failures: readonly string[]
  /** Of the processes, in the order in which they were stopped. */
  readonly exitCodes: readonly (number | null)[]
}

interface Load {
  readonly environment: Record<string, string>
  readonly question: (index: number) => Question
  /** Requests a second. */
  readonly rate: number
  readonly seed: number
}

/** Between SIGTERM and the end of listening: a balancer that looks every `checkMs` has long stopped sending by then. */
const drainMs = 5000
const checkMs = 100

/** Requests a second at which some of them wait. */
export const rateThatWaits = 16

/**
 * With the model that is shipped and default settings but for the deadline, at a third of what one instance alone answers: it
 * has to, while the other starts on the same cores. More would measure overload, which is refused with or without restarts.
 */
export async function restartAtSize(): Promise<Load> {
  const pictures = await Promise.all([1, 2, 3].map((seed) => photo(seed, 640)))
  const headers = { 'content-type': 'image/jpeg' }
  return {
    environment: { MODELS_DIR: shippedModels },
    question: (index) => ({
      path: '/classify?tta=none',
      method: 'POST',
      headers,
      body: pictures[index % pictures.length]!,
    }),
    rate: 4,
    seed: 5,
  }
}

/** Images that wait when SIGTERM comes. */
const fewestWaiting = 3

/** SIGTERM to one process under load. Requests are sent until `/readyz` says that it is stopping. */
export async function stopUnderLoad({ environment, question, rate, seed }: Load): Promise<Stopped> {
  const service = await startProcess({ FLOWERS_DRAIN_DELAY_MS: String(drainMs), ...environment })
  const stop = new AbortController()
  const load = openLoop({ url: service.url, rate, count: 10_000, seed, question, signal: stop.signal })
  await until(async () => (await service.metric('flowers_queue_depth')) >= fewestWaiting)
  service.signal('SIGTERM')
  await until(async () => (await fetch(`${service.url}/readyz`)).status === 503)
  stop.abort()
  return { ...outcome(await load), exitCodes: [await service.ended] }
}

/** Two instances behind a proxy, `rounds` times stopped and started again one after the other, under load. */
export async function restartOneByOne({
  environment,
  question,
  rate,
  seed,
  rounds,
}: Load & { readonly rounds: number }): Promise<Stopped> {
  const settings = { FLOWERS_DRAIN_DELAY_MS: String(drainMs), ...environment }
  const instances = await Promise.all([startProcess(settings), startProcess(settings)])
  const proxy = await startProxy(
    instances.map(({ url }) => url),
    checkMs,
  )
  const stop = new AbortController()
  const load = openLoop({ url: proxy.url, rate, count: 100_000, seed, question, signal: stop.signal })
  const exitCodes: (number | null)[] = []
  for (let round = 0; round < rounds; round++) {
    for (const [index, instance] of instances.entries()) {
      exitCodes.push(await instance.stop())
      instances[index] = await startProcess({ ...settings, PORT: new URL(instance.url).port })
      await until(() => proxy.healthy(index))
    }
  }
  stop.abort()
  const answers = await load
  proxy.close()
  await Promise.all(instances.map((instance) => instance.stop()))
  return { ...outcome(answers), exitCodes }
}

function outcome(answers: readonly Answered[]): Pick<Stopped, 'answered' | 'failures'> {
  const failed = answers.filter(({ reply }) => reply.status !== 200)
  return {
    answered: answers.length - failed.length,
    failures: failed.map(({ reply }) => `${reply.status} ${reply.body}`),
  }
}
