import { cacheFolder } from '../console/cache-folder.ts'
import { showWork } from '../console/bar.ts'
import { inspectAll, samplesOf, type Dataset, type Sample } from '../dataset/dataset.ts'
import { isBroken } from '../dataset/inspect-photo.ts'
import { VerifiedPhotos } from '../dataset/verified-photos.ts'
import { knownFeatures, pretrainedFeatures } from '../train/pretrained-features.ts'
import { doubtfulPhotos, type DoubtfulPhoto, type JudgedPhoto } from './doubtful.ts'
import { outOfFoldAnswers } from './out-of-fold-answers.ts'

export interface FoundLabels {
  /** Every photo that could be judged, in the order of the dataset. */
  readonly judged: readonly JudgedPhoto[]
  /** The most doubtful first. */
  readonly doubtful: readonly DoubtfulPhoto[]
  /** Photos that cannot be decoded. */
  readonly broken: readonly Sample[]
  /** Photos whose class has no others, so that nothing can be said of them. */
  readonly alone: readonly Sample[]
}

interface Options {
  readonly log: (line: string) => void
  readonly signal?: AbortSignal
}

/**
 * Training and validation photos whose labels are in doubt, from what a head on pretrained features says of photos that it
 * has not seen; test photos stay aside. Shows how far it is. Throws what `pretrainedFeatures` throws.
 */
export async function findDoubtful(dataset: Dataset, { log, signal }: Options): Promise<FoundLabels> {
  const photos = lookedAt(dataset)
  const inspections = await inspectAll(
    photos.map(({ sample }) => sample),
    dataset,
    { onProgress: showWork('looking for flaws'), signal },
  )
  const sound = photos
    .map((photo, place) => ({ ...photo, inspection: inspections[place]! }))
    .filter(({ inspection }) => !isBroken(inspection))
  const features = await pretrainedFeatures(
    { samples: sound.map(({ sample }) => sample), files: dataset.files },
    { cache: cacheFolder(), log, onProgress: showWork('features of photos'), ...(signal && { signal }) },
  )
  const judged = await outOfFoldAnswers(
    sound.map(({ sample, split, inspection: { perceptualHash } }, place) => {
      return { sample, split, features: features[place]!, perceptualHash }
    }),
    dataset,
    { onProgress: showWork('judging labels, folds'), signal },
  )
  const [heard, whole] = [judged, sound].map((all) => new Set(all.map(({ sample }) => sample)))
  return {
    judged,
    doubtful: doubtfulPhotos(judged),
    broken: photos.filter(({ sample }) => !whole!.has(sample)).map(({ sample }) => sample),
    alone: sound.filter(({ sample }) => !heard!.has(sample)).map(({ sample }) => sample),
  }
}

/** What `findDoubtful` judges where the cache knows the features of every photo, else null: looks into no photo. */
export async function judgedBefore(dataset: Dataset, signal?: AbortSignal): Promise<JudgedPhoto[] | null> {
  const photos = lookedAt(dataset)
  const samples = photos.map(({ sample }) => sample)
  const features = await knownFeatures({ samples, files: dataset.files }, cacheFolder())
  if (features === null) return null
  const verified = await VerifiedPhotos.open(cacheFolder(), dataset.root)
  const hashOf = ({ id }: Sample) => verified.get(dataset.files.get(id)?.sha256 ?? '')?.perceptualHash
  return outOfFoldAnswers(
    photos.map((photo, place) => ({
      ...photo,
      features: features[place]!,
      perceptualHash: hashOf(photo.sample),
    })),
    dataset,
    { signal },
  )
}

const lookedAt = (dataset: Dataset) =>
  [...samplesOf(dataset)].flatMap(({ sample, split }) => (split === 'test' ? [] : [{ sample, split }]))
