import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { form, solid } from './testing/pictures.ts'
import { startProcess } from './testing/process.ts'

/** Clock ticks a second in /proc/<pid>/stat, on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Threads of libvips that come and go. */
const coming = 1

const hasProc = process.platform === 'linux'

async function start(environment: Record<string, string>) {
  const { pid, url, stop, threads } = await startProcess(environment)
  return {
    stop,
    classify: async (count: number): Promise<void> => {
      const picture = await solid('red')
      const responses = Array.from({ length: count }, async () => {
        const { status } = await fetch(`${url}/classify`, { method: 'POST', body: form(picture) })
        expect(status).toBe(200)
      })
      await Promise.all(responses)
    },
    threads,
    /** Seconds of all cores that it has used. */
    cpuSeconds: async (): Promise<number> => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
    },
  }
}

describe.skipIf(!hasProc)('the process', () => {
  const plans = [
    { workers: 1, threads: 1 },
    { workers: 1, threads: 4 },
    { workers: 3, threads: 2 },
  ]
  const running: Awaited<ReturnType<typeof start>>[] = []

  beforeAll(async () => {
    for (const { workers, threads } of plans) {
      running.push(await start({ FLOWERS_WORKERS: String(workers), FLOWERS_THREADS: String(threads) }))
    }
  })
  afterAll(async () => {
    await Promise.all(running.map((service) => service.stop()))
  })

  it('has the threads of its plan and those of Node, and no more under load', async () => {
    const counts: number[] = []
    for (const service of running) {
      // Codecs and fetches make theirs when they are first used.
      await service.classify(32)
      counts.push(await service.threads())
      await service.classify(32)
      expect(await service.threads()).toBeLessThanOrEqual(counts.at(-1)! + coming)
    }
    const [base, threaded, many] = counts.map((count) => count - counts[0]!)
    expect(base).toBe(0)
    // A session runs in its worker's thread and `threads - 1` others.
    expect(Math.abs(threaded! - 3)).toBeLessThanOrEqual(coming)
    expect(many).toBeGreaterThanOrEqual(2 + 3 - coming)
    // A worker is a thread of Node with at most one helper.
    expect(many).toBeLessThanOrEqual(2 * 2 + 3 + coming)
  })

  it('does nothing while nobody asks', async () => {
    const [, service] = running
    const idle = async (): Promise<number> => {
      const before = await service!.cpuSeconds()
      await new Promise((resolve) => setTimeout(resolve, 5000))
      return (await service!.cpuSeconds()) - before
    }
    // What is left of the start, compilers and collectors, may take part of the first seconds; spinning threads take all.
    const shares = [(await idle()) / 5]
    while (shares.at(-1)! > 0.01 && shares.length < 4) shares.push((await idle()) / 5)
    expect(shares.at(-1)).toBeLessThanOrEqual(0.01)
  })
})
