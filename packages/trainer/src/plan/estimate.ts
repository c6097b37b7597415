import { cacheFolder } from '../console/cache-folder.ts'
import { showWork } from '../console/bar.ts'
import { plural, withInterval } from '../console/format.ts'
import type { Dataset } from '../dataset/dataset.ts'
import { folds, outOfFoldAnswers } from '../labels/out-of-fold-answers.ts'
import { exactShare, type MeasuredShare } from '../measure/bootstrap.ts'
import { argmax } from '@flowers/shared/model/views'
import { Random } from '@flowers/shared/random'
import { cachedWeights } from '../model/weights/fetch.ts'
import { findPretrained } from '../model/weights/pretrained.ts'
import { quick } from '../recipe/recipes/quick.ts'
import { pretrainedFeatures } from '../train/pretrained-features.ts'

export interface EstimateOptions {
  /** Photos that are looked at, at most. */
  readonly most?: number
  readonly log: (line: string) => void
  readonly signal?: AbortSignal | undefined
  /** Features of photos; another one stands in for the pretrained network. */
  readonly features?: typeof pretrainedFeatures
}

/** Photos that an estimate looks at unless said, and the fewest that it is worth it for. */
export const estimated = { most: 400, fewest: 50 }

/**
 * How well a head does on pretrained features of training and validation photos, each judged by a head that was fitted on
 * others: an estimate of what training will reach, in seconds. Null for too few photos, and where the network would have to
 * be fetched.
 */
export async function estimateAccuracy(
  dataset: Pick<Dataset, 'train' | 'valid' | 'files' | 'labels' | 'verified'>,
  { most = estimated.most, log, signal, features: featuresOf }: EstimateOptions,
): Promise<MeasuredShare | null> {
  const all = [dataset.train, dataset.valid].flatMap((samples, place) =>
    samples.map((sample) => ({ sample, split: (['train', 'valid'] as const)[place]! })),
  )
  const drawn = new Random(seed, 'folds', 2).shuffle(all).slice(0, most)
  if (drawn.length < estimated.fewest) return null
  const pretrained = featuresOf ?? (await pretrainedAtHand())
  if (pretrained === null) return null
  const samples = drawn.map(({ sample }) => sample)
  const { files, verified } = dataset
  const features = await pretrained(
    { samples, files },
    { cache: cacheFolder(), log, onProgress: showWork('features for an estimate'), ...(signal && { signal }) },
  )
  const hashOf = (id: string) => verified.get(files.get(id)?.sha256 ?? '')?.perceptualHash
  const answers = await outOfFoldAnswers(
    drawn.map((photo, place) => ({ ...photo, features: features[place]!, perceptualHash: hashOf(photo.sample.id) })),
    dataset,
    { signal },
  )
  if (answers.length < estimated.fewest) return null
  const right = answers.filter(({ sample, scores }) => argmax(scores) === sample.index).length
  return exactShare(right, answers.length)
}

const pretrainedAtHand = async (): Promise<typeof pretrainedFeatures | null> =>
  (await cachedWeights(findPretrained(quick.model.weights!)!)) === undefined ? null : pretrainedFeatures

const seed = 1

/** An estimate, and what it stands on. */
export const estimateRecord = (estimate: MeasuredShare): Readonly<Record<string, unknown>> => ({
  event: 'estimate',
  of: 'a linear head on pretrained features',
  folds,
  ...estimate,
})

/** An estimate as a sentence. */
export const estimateWords = (estimate: MeasuredShare): string =>
  `estimate before training: a linear head on pretrained features names ${withInterval(estimate)} of ${plural(estimate.count, 'photo')} rightly, by ${folds} folds; training usually does better`
