import { FlowersError } from '@flowers/shared/errors'
import type { Manifest } from '@flowers/shared/model/manifest'
import { z } from 'zod'
import { withoutPhotos, type Dataset, type Sample } from '../dataset/dataset.ts'
import { ignoredPhotos } from '../dataset/ignore.ts'
import { splits, type Split } from '../dataset/listed-photo.ts'
import { listPhotos } from '../dataset/listing.ts'
import { openData } from '../dataset/open-data.ts'
import type { PassedOver } from '../dataset/passed-over.ts'
import { plural } from '../console/format.ts'
import { TrainerError } from '../errors.ts'

/** A split of the data, or every photo whatever its split, as suits photos that the model has never seen. */
export type EvaluatedSplit = Split | 'all'

interface PhotosOptions {
  /** DATA of the command line. */
  readonly data: string
  readonly split: EvaluatedSplit
}

export interface PhotosOfModel {
  /** With the class indices of the model. */
  readonly samples: readonly Sample[]
  /** Of the data with its split; null for all. */
  readonly sha256: string | null
  /** Photos of the data, of whichever split, that are left out because the run left them out. */
  readonly excluded: number
  /** The data gives no split, so that these are a part of it that was chosen. */
  readonly chosen: boolean
  /** What of the data is not used. */
  readonly passedOver: readonly PassedOver[]
}

/**
 * The photos of a split as the run of a model had them: what it left out is left out of the same data again. Of other
 * data the split asked for is enough, and so are some of the classes.
 * Throws what `openDataset` throws, EVALUATE_LABELS for photos of classes that the model does not have, and
 * EVALUATE_SPLIT when the split holds none.
 */
export async function openPhotosOf(manifest: Manifest, options: PhotosOptions): Promise<PhotosOfModel> {
  const { samples, ...rest } = await openSplit(manifest, options)
  return { samples: withLabelsOf(manifest, samples), ...rest }
}

export interface CalibrationPhotos extends PhotosOfModel {
  /** Photos of the split `train`, with the class indices of the model; of other data there may be none of a class. */
  readonly training: readonly Sample[]
  /** Of the data: photos of `others/` beside the classes, and hashes of its own. */
  readonly others: Dataset['others']
  readonly files: Dataset['files']
}

/** The photos of the split `valid` as {@link openPhotosOf} has them, and what else of the same data a calibration takes. */
export async function openCalibrationPhotos(manifest: Manifest, data: string): Promise<CalibrationPhotos> {
  const { dataset, ...found } = await openDatasetOf(manifest, { data, split: 'valid' })
  const [samples, training] = [found.samples, dataset.train].map((photos) => withLabelsOf(manifest, photos))
  const { others, files } = dataset
  return { ...found, samples: samples!, training: training!, others, files }
}

async function openSplit(manifest: Manifest, { data, split }: PhotosOptions): Promise<PhotosOfModel> {
  if (split === 'all') {
    const { photos, passedOver } = await listPhotos(data, { partial: true, known: manifest.labels })
    const samples = photos.map(({ path, label, id }) => ({ path, label, id, index: -1 }))
    return { samples, sha256: null, excluded: 0, chosen: false, passedOver }
  }
  const { dataset: _, ...found } = await openDatasetOf(manifest, { data, split })
  return found
}

async function openDatasetOf(
  manifest: Manifest,
  { data, split }: { readonly data: string; readonly split: Split },
): Promise<PhotosOfModel & { readonly dataset: Dataset }> {
  const opened = await openData(data, { ...splitOf(manifest), partial: true, known: manifest.labels })
  const { dataset, excluded } = asInRun(opened, manifest)
  if (dataset[split].length === 0) {
    const held = splits.flatMap((other) =>
      dataset[other].length === 0 ? [] : [`${plural(dataset[other].length, 'photo')} in ${other}`],
    )
    throw new TrainerError(
      'EVALUATE_SPLIT',
      `"${data}" has no photos in the split ${split}, but ${held.join(' and ')}.`,
    )
  }
  const { sha256, splitBy, passedOver } = dataset
  return { dataset, samples: dataset[split], sha256, excluded, chosen: splitBy === 'stratified', passedOver }
}

/** A dataset without what the run left out, where that makes it the dataset of the run; else as it is. */
function asInRun(opened: Dataset, manifest: Manifest): { dataset: Dataset; excluded: number } {
  const { sha256, excluded = ignoredByRecipe(opened, manifest) } = manifest.data
  const all = { dataset: opened, excluded: 0 }
  // Of other data, what has the same names may be all that a class has.
  if (opened.sha256 === sha256 || !excluded.every((id) => opened.files.has(id))) return all
  try {
    const dataset = withoutPhotos(opened, new Set(excluded))
    return dataset.sha256 === sha256 ? { dataset, excluded: excluded.length } : all
  } catch (error) {
    if (error instanceof FlowersError) return all
    throw error
  }
}

const ignoringSchema = z.object({ data: z.object({ ignore: z.array(z.string()) }) })

/** What a manifest of a time before `data.excluded` says all the same: not what an audit found. */
function ignoredByRecipe(opened: Dataset, { recipe }: Manifest): readonly string[] {
  const parsed = ignoringSchema.safeParse(recipe)
  return parsed.success ? ignoredPhotos(opened, parsed.data.data.ignore) : []
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
    throw new TrainerError(
      'EVALUATE_LABELS',
      `the model ${name} has no class for ${unknown.map((label) => `"${label}"`).join(', ')}`,
    )
  }
  return samples.map((sample) => ({ ...sample, index: indexOf.get(sample.label) as number }))
}
