import { TensorflowError } from '@flowers/tensorflow/errors'
import { readFile, writeFile } from 'node:fs/promises'
import type { FlowersError } from '@flowers/shared/errors'
import type { Phase, PhaseName, Recipe } from '../recipe/schema.ts'
import { TrainerError } from '../errors.ts'

/** Bytes that this process may still take of its machine or container; FLOWERS_MEMORY_LIMIT_MIB overrides it. */
export function availableMemory(): number {
  const limit = Number(process.env['FLOWERS_MEMORY_LIMIT_MIB'])
  return limit > 0 ? limit * 2 ** 20 : process.availableMemory()
}

export interface MemoryNeed {
  /** Bytes that do not depend on the batch. */
  readonly fixed: number
  readonly perPhoto: number
}

/**
 * Measures on two small batches the bytes that a step takes at its peak, beyond those the process holds now. Only Linux
 * tells; elsewhere both are 0.
 * @param peak the most bytes the process held while `work` ran
 */
export async function measureNeed(
  run: (batch: number) => Promise<void>,
  peak: (work: () => Promise<void>) => Promise<number> = peakOf,
): Promise<MemoryNeed> {
  const [small, large] = [1, 3]
  // The very first run also takes memory that TensorFlow keeps for all later ones.
  await run(small)
  const before = await peak(async () => {})
  const one = (await peak(() => run(small))) - before
  const other = (await peak(() => run(large))) - before
  const perPhoto = Math.max(0, (other - one) / (large - small))
  return { fixed: Math.max(0, one - small * perPhoto), perPhoto }
}

/** The most bytes that the process held in memory while `work` ran. */
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

/** The largest of `batch / 2`, `batch / 4`, ... 1 for which `attempt` does not run out of memory; 0 if none. */
async function largestThatFits(batch: number, attempt: (batch: number) => Promise<void>): Promise<number> {
  for (let smaller = Math.floor(batch / 2); smaller >= 1; smaller = Math.floor(smaller / 2)) {
    try {
      await attempt(smaller)
      return smaller
    } catch (error) {
      if (!isOutOfMemory(error)) throw error
    }
  }
  return 0
}

/** A phase as messages about memory name it. */
type BatchOf = Pick<Phase, 'batch' | 'size'> & { readonly name: PhaseName }

/**
 * Throws TRAIN_MEMORY, naming the batch that fits, if a step would take more memory than there is, as the system would then
 * kill the process without a message. Measures only if the upper bound does not fit.
 * @param upperBound bytes that a step takes at most
 */
export async function requireFits(
  phase: BatchOf,
  upperBound: number,
  measure: () => Promise<MemoryNeed>,
  available = availableMemory(),
): Promise<void> {
  if (upperBound <= available) return
  const { fixed, perPhoto } = await measure()
  if (fixed + perPhoto * phase.batch > available) throw tooLarge(phase, Math.floor((available - fixed) / perPhoto))
}

/**
 * If TensorFlow ran out of memory, tries smaller batches and throws TRAIN_MEMORY with the largest that fits. Any other
 * error is thrown as it is.
 */
export async function explainMemory(
  phase: BatchOf,
  error: unknown,
  attempt: (batch: number) => Promise<void>,
): Promise<never> {
  if (!isOutOfMemory(error)) throw error
  throw tooLarge(phase, await largestThatFits(phase.batch, attempt), error)
}

function tooLarge({ name, batch, size }: BatchOf, fits: number, cause?: unknown): FlowersError {
  const advice =
    fits < 1 ? 'not even a single photo fits' : `a batch of ${fits} fits: --set phases.${name}.batch=${fits}`
  return new TrainerError(
    'TRAIN_MEMORY',
    `phase ${name} runs out of memory with batches of ${batch} at ${size} px; ${advice}`,
    { cause },
  )
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof TensorflowError && error.code === 'TENSORFLOW_OUT_OF_MEMORY'

/** The estimated memory of a photo whose backbone keeps nothing for its gradient, as a share of one whose backbone does. */
const headShare = 0.2

/** The phase whose steps take most memory; undefined if all of them train on cached features. */
export function mostDemanding({ phases }: Pick<Recipe, 'phases'>, names: readonly PhaseName[]): PhaseName | undefined {
  const taken = (name: PhaseName): number => {
    const { size, batch, trainable } = phases[name]
    return batch * size ** 2 * (trainable === 'all' ? 1 : headShare)
  }
  return names.filter((name) => phases[name].features !== 'cached').toSorted((a, b) => taken(b) - taken(a))[0]
}
