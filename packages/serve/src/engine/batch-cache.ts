import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { writeFileAtomic } from '@flowers/shared/files'
import type { ModelLocation } from '@flowers/shared/model/package'
import { z } from 'zod'
import { trial } from './batch.ts'
import type { ThreadPlan } from './plan.ts'

// From its package: what it says of itself would load the library into the thread that answers.
const { version: onnxruntime } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }

const setupSchema = z.strictObject({
  sha256: z.string(),
  size: z.number(),
  cpu: z.string(),
  workers: z.number(),
  threads: z.number(),
  onnxruntime: z.string(),
  sizes: z.array(z.number()),
})

/** What decides which batch is fastest: another network, or the same one elsewhere, is measured again. */
export type BatchSetup = Readonly<z.output<typeof setupSchema>>

const entrySchema = z.strictObject({
  setup: setupSchema,
  batch: z.number(),
  /** Of each worker, seconds of a run by its number of views. */
  seconds: z.array(z.record(z.string(), z.number())),
})
const fileSchema = z.object({ measured: z.array(entrySchema) })
type Entry = z.output<typeof entrySchema>
/** A batch, and what it was chosen by. */
export type KeptBatch = Pick<Entry, 'batch' | 'seconds'>

/** What a network of images of `size` pixels is measured with here. */
export function batchSetup(
  network: { readonly sha256: string; readonly size: number },
  { workers, threads }: Pick<ThreadPlan, 'workers' | 'threads'>,
): BatchSetup {
  return { ...network, cpu: `${arch()} ${cpus()[0]?.model}`, workers, threads, onnxruntime, sizes: [...trial.batches] }
}

/** Where the batches of a model are kept: beside its versions. */
export function batchesFile({ folder }: Pick<ModelLocation, 'folder'>): string {
  return join(dirname(folder), 'batches.json')
}

/** Entries that a file keeps, the newest: those of versions and machines that are gone are never asked for. */
const mostEntries = 32

/**
 * Batches that were measured, kept in a file beside the versions of a model, so outside of what its manifest lists
 * and a reload looks at, and in memory, for where nothing can be written.
 */
export class BatchCache {
  readonly #known = new Map<string, KeptBatch>()

  /** The batch that was fastest in this setup; null: not measured, or the file is not there or not as it was written. */
  async find(file: string, setup: BatchSetup): Promise<KeptBatch | null> {
    const known = this.#known.get(JSON.stringify(setup))
    if (known !== undefined) return known
    const entry = (await readEntries(file)).find((each) => isDeepStrictEqual(each.setup, setup))
    return entry !== undefined && setup.sizes.includes(entry.batch) ? entry : null
  }

  /** Keeps the batch that was fastest. A file that cannot be written is no failure. */
  async keep(file: string, setup: BatchSetup, kept: KeptBatch): Promise<void> {
    this.#known.set(JSON.stringify(setup), kept)
    await rewrite(file, setup, [{ setup, ...kept }])
  }

  /** Lets go of the batch of this setup, so that the next start measures it again. */
  async forget(file: string, setup: BatchSetup): Promise<void> {
    this.#known.delete(JSON.stringify(setup))
    await rewrite(file, setup, [])
  }
}

async function rewrite(file: string, setup: BatchSetup, entries: readonly Entry[]): Promise<void> {
  const others = (await readEntries(file)).filter((each) => !isDeepStrictEqual(each.setup, setup))
  const measured = [...others, ...entries].slice(-mostEntries)
  // A folder that is only read, as that of a container, is as it should be; nothing is lost but the next measurement.
  await writeFileAtomic(file, `${JSON.stringify({ measured }, null, 2)}\n`).catch(() => {})
}

async function readEntries(file: string): Promise<Entry[]> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(file, 'utf8'))).measured
  } catch {
    // Not there yet, or somebody else's: then the next start measures and writes it.
    return []
  }
}
