import { cacheFolder } from '../console/cache-folder.ts'
import { showWork } from '../console/bar.ts'
import { inspectAll, samplesOf, type Dataset, type Sample } from '../dataset/dataset.ts'
import { isBroken } from '../dataset/inspect-photo.ts'
import { VerifiedPhotos } from '../dataset/verified-photos.ts'
import { countFresh, pretrainedFeatures } from '../train/pretrained-features.ts'
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

/**
 * What `findDoubtful` judges, of photos that an audit has looked at, where the cache has the weights and at most `mostFresh`
 * photos are new to it; else null.
 */
export async function judgedWithin(
  dataset: Dataset,
  mostFresh: number,
  signal: AbortSignal,
): Promise<JudgedPhoto[] | null> {
  const photos = lookedAt(dataset)
  const known = { samples: photos.map(({ sample }) => sample), files: dataset.files }
  const fresh = await countFresh(known, cacheFolder())
  if (fresh === null || fresh > mostFresh) return null
  const onProgress = showWork('features of photos')
  const features = await pretrainedFeatures(known, { cache: cacheFolder(), log: () => {}, onProgress, signal })
  const verified = await VerifiedPhotos.open(cacheFolder(), dataset.root)
  return outOfFoldAnswers(
    photos.map(({ sample, split }, place) => {
      const { perceptualHash } = verified.get(dataset.files.get(sample.id)?.sha256 ?? '') ?? {}
      return { sample, split, features: features[place]!, perceptualHash }
    }),
    dataset,
    { onProgress: showWork('judging labels, folds'), signal },
  )
}

const lookedAt = (dataset: Dataset) =>
  [...samplesOf(dataset)].flatMap(({ sample, split }) => (split === 'test' ? [] : [{ sample, split }]))
