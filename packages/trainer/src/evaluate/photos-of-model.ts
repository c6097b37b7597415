import { FlowersError } from '@flowers/shared/errors'
import type { Manifest } from '@flowers/shared/manifest'
import { z } from 'zod'
import { cacheFolder } from '../cache-folder.ts'
import { openDataset } from '../data/dataset.ts'
import type { Sample } from '../data/dataset.ts'
import type { Split } from '../data/listed-photo.ts'
import { listPhotos } from '../data/listing.ts'

/** A split of the data, or every photo whatever its split, as suits photos that the model has never seen. */
export type EvaluatedSplit = Split | 'all'

interface PhotosOptions {
  /** DATA of the command line. */
  readonly data: string
  readonly split: EvaluatedSplit
}

/**
 * The photos of a split with the class indices of a model; `sha256` of the data with its split, null for all.
 * Throws what `openDataset` throws, EVALUATE_LABELS for photos of classes that the model does not have, and DATA_EMPTY
 * when the split holds none.
 */
export async function openPhotosOf(
  manifest: Manifest,
  options: PhotosOptions,
): Promise<{ samples: readonly Sample[]; sha256: string | null }> {
  const { samples, sha256 } = await openSplit(manifest, options)
  if (samples.length === 0)
    throw new FlowersError('DATA_EMPTY', `"${options.data}" has no photos in the split ${options.split}.`)
  return { samples: withLabelsOf(manifest, samples), sha256 }
}

async function openSplit(
  manifest: Manifest,
  { data, split }: PhotosOptions,
): Promise<{ samples: readonly Sample[]; sha256: string | null }> {
  if (split === 'all') {
    const { photos } = await listPhotos(data)
    return { samples: photos.map(({ path, label, id }) => ({ path, label, id, index: -1 })), sha256: null }
  }
  const dataset = await openDataset(data, { ...splitOf(manifest), cache: cacheFolder() })
  return { samples: dataset[split], sha256: dataset.sha256 }
}

const trainedWithSchema = z.object({ data: z.object({ validShare: z.number() }) })

/** The seed and share that the run split its photos by, so that the same photos validate again. */
function splitOf({ data, recipe }: Manifest): { seed: number; validShare?: number } {
  const parsed = trainedWithSchema.safeParse(recipe)
  return { seed: data.seed, ...(parsed.success && { validShare: parsed.data.data.validShare }) }
}

/** Samples with the class indices of the model. */
function withLabelsOf({ labels, name }: Manifest, samples: readonly Sample[]): Sample[] {
  const indexOf = new Map(labels.map((label, index) => [label, index]))
  const unknown = [...new Set(samples.map(({ label }) => label))].filter((label) => !indexOf.has(label))
  if (unknown.length > 0) {
    throw new FlowersError(
      'EVALUATE_LABELS',
      `the model ${name} has no class for ${unknown.map((label) => `"${label}"`).join(', ')}`,
    )
  }
  return samples.map((sample) => ({ ...sample, index: indexOf.get(sample.label) as number }))
}
