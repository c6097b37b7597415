import { TensorflowError } from '@flowers/tensorflow/errors'
import { readFile, writeFile } from 'node:fs/promises'

/** Bytes this process may still take: what the machine, or the container it runs in, has left; or FLOWERS_MEMORY_LIMIT_MIB. */
export function availableMemory(): number {
  const limit = Number(process.env['FLOWERS_MEMORY_LIMIT_MIB'])
  return limit > 0 ? limit * 2 ** 20 : process.availableMemory()
}

export interface MemoryNeed {
  /** Bytes whatever the batch. */
  readonly fixed: number
  readonly perPhoto: number
}

/** Measures on two small batches what a step takes at its peak, beyond what the process holds now. Zero where the system does not tell (not Linux). */
export async function measureNeed(run: (batch: number) => Promise<void>): Promise<MemoryNeed> {
  const [small, large] = [1, 3]
  // The first run of all takes what TensorFlow needs once, whatever the step.
  await run(small)
  const before = await peakOf(async () => {})
  const one = (await peakOf(() => run(small))) - before
  const other = (await peakOf(() => run(large))) - before
  const perPhoto = Math.max(0, (other - one) / (large - small))
  return { fixed: Math.max(0, one - small * perPhoto), perPhoto }
}

/** Most bytes the process held in memory meanwhile. */
async function peakOf(work: () => Promise<void>): Promise<number> {
  if (process.platform !== 'linux') {
    await work()
    return 0
  }
  // Resets the peak (proc(5)).
  await writeFile('/proc/self/clear_refs', '5')
  await work()
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile('/proc/self/status', 'utf8'))
  return 1024 * Number(peak?.[1] ?? 0)
}

/** The largest of `batch / 2`, `batch / 4`, ... 1 for which `attempt` does not run out of memory; 0 when none. */
export async function largestThatFits(batch: number, attempt: (batch: number) => Promise<void>): Promise<number> {
  for (let smaller = Math.floor(batch / 2); smaller >= 1; smaller = Math.floor(smaller / 2)) {
    try {
      await attempt(smaller)
      return smaller
    } catch (error) {
      if (!(error instanceof TensorflowError) || error.code !== 'TENSORFLOW_OUT_OF_MEMORY') throw error
    }
  }
  return 0
}
