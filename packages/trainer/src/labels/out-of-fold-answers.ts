import { groupBy } from '@flowers/shared/group-by'
import type { OnProgress } from '../console/bar.ts'
import type { Dataset, Sample } from '../dataset/dataset.ts'
import { nearDuplicates } from '../dataset/near-duplicates.ts'
import type { PerceptualHash } from '../dataset/perceptual-hash.ts'
import { outOfFold } from '../measure/out-of-fold.ts'
import type { JudgedPhoto } from './doubtful.ts'

/** A photo with what is known of it before anything is fitted. */
export interface FeaturedPhoto {
  readonly sample: Sample
  readonly split: JudgedPhoto['split']
  readonly features: Float32Array
  /** Undefined for a picture without structure. */
  readonly perceptualHash: PerceptualHash | undefined
}

/** Parts that photos are dealt into, each judged by a head that was fitted on the others. */
export const folds = 5
const seed = 1

/**
 * What a head says of each photo that was fitted on the features of others, copies and near-duplicates apart. Photos whose
 * class has no others are left out, as nothing can be said of them. Rejects with the reason of an aborted signal.
 */
export async function outOfFoldAnswers(
  photos: readonly FeaturedPhoto[],
  { files, labels }: Pick<Dataset, 'files' | 'labels'>,
  { onProgress, signal }: { readonly onProgress?: OnProgress; readonly signal?: AbortSignal | undefined } = {},
): Promise<JudgedPhoto[]> {
  const answers = await outOfFold(
    photos.map(({ features }) => features),
    photos.map(({ sample }) => sample.index),
    labels.length,
    { folds, seed, groups: copies(photos, files), onProgress, signal },
  )
  return photos.flatMap(({ sample, split }, place) => {
    const scores = answers[place]
    return scores ? [{ sample, split, scores }] : []
  })
}

/** Groups of photos that are the same or nearly so, by their places. */
function copies(photos: readonly FeaturedPhoto[], files: Dataset['files']): number[][] {
  const near = nearDuplicates(photos.map(({ perceptualHash }) => perceptualHash))
  const grouped = new Set(near.flat())
  // A picture without structure has no hash to be compared by.
  const same = groupBy(
    [...photos.keys()].filter((place) => !grouped.has(place)),
    (place) => files.get(photos[place]!.sample.id)?.sha256,
  )
  return [...near, ...[...same.values()].filter(({ length }) => length > 1)]
}
