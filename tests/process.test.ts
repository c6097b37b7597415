import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { form, solid } from '@flowers/serve/testing/pictures'
import { startProcess, threadsOf } from '@flowers/serve/testing/process'
import { until } from '@flowers/serve/testing/service'

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
    /** Whether all of its threads sleep. */
    asleep: async (): Promise<boolean> => {
      const folder = `/proc/${pid}/task`
      // A thread that has ended since is no longer awake either.
      const stats = (await readdir(folder)).map((id) => readFile(`${folder}/${id}/stat`, 'utf8').catch(() => ') S'))
      return (await Promise.all(stats)).every((stat) => stat[stat.lastIndexOf(')') + 2] === 'S')
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
        await until(async () => (await service.threads()).codecs <= codecs)
        expect([workers, threads, (await service.threads()).staying]).toEqual([workers, threads, planned])
      }
    }
  })

  it('does nothing while nobody asks', async () => {
    // A thread that spins never sleeps; compilers and collectors, which are left of the start, do in the end.
    for (const service of running) {
      let looks = 0
      await until(async () => {
        looks = (await service.asleep()) ? looks + 1 : 0
        return looks >= 20
      })
      expect(looks).toBe(20)
    }
  })
})
