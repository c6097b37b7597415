import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { form, solid } from './testing/pictures.ts'
import { startProcess, threadsOf } from './testing/process.ts'

/** Clock ticks a second in /proc/<pid>/stat, on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Threads of libvips, which come and go: one for each thread of libuv that decodes, and one that is on its way out. */
const codecs = 4 + 1

/** Threads that this Node has by itself, those of libuv included, once it has read a file. */
async function threadsOfNode(): Promise<number> {
  const script = `require('node:fs').readFile(process.execPath, () => console.log('read')); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--eval', script], { env: {}, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const { length } = await threadsOf(child.pid!)
  child.kill()
  return length
}

const hasProc = process.platform === 'linux'

async function start(environment: Record<string, string>) {
  const { pid, url, stop, threads, metric } = await startProcess(environment)
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
    /** Threads that stay, and those of libvips. */
    threads: async (): Promise<{ staying: number; codecs: number }> => {
      const names = await threads()
      const staying = names.filter((name) => !name.startsWith('libvips')).length
      return { staying, codecs: names.length - staying }
    },
    /** Threads that decode, besides those of libuv. */
    decoders: async (): Promise<number> => Math.max(1, Math.floor(await metric('flowers_cpu_allowance_cores'))),
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
    const node = await threadsOfNode()
    for (const [index, { workers, threads }] of plans.entries()) {
      const service = running[index]!
      // A session runs in its worker's thread and `threads - 1` others.
      const planned = node + (await service.decoders()) + workers * threads
      // Codecs and fetches make theirs when they are first used.
      for (let time = 0; time < 2; time++) {
        await service.classify(32)
        const { staying, codecs: decoding } = await service.threads()
        expect([workers, threads, staying]).toEqual([workers, threads, planned])
        expect(decoding).toBeLessThanOrEqual(codecs)
      }
    }
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
