import sharp from 'sharp'
import { trainCounts, type Dataset } from '../dataset/dataset.ts'
import { quantile } from '../measure/bootstrap.ts'
import type { PhotoFacts } from './plan-quick.ts'

/** So many photos tell the size of all. */
const sampled = 200

/** What a plan needs to know of the photos. Those that cannot be read are left to the audit. */
export async function surveyPhotos(
  dataset: Pick<Dataset, 'train' | 'valid' | 'labels'>,
  signal?: AbortSignal,
): Promise<PhotoFacts> {
  const { train, valid } = dataset
  const every = Math.max(1, Math.floor(train.length / sampled))
  const sides: number[] = []
  for (const { path } of train.filter((_, index) => index % every === 0)) {
    signal?.throwIfAborted()
    const size = await sharp(path)
      .metadata()
      .catch(() => null)
    if (size) sides.push(Math.min(size.width, size.height))
  }
  return {
    counts: trainCounts(dataset),
    valid: valid.length,
    shortSide:
      sides.length === 0
        ? 224
        : quantile(
            sides.toSorted((a, b) => a - b),
            0.5,
          ),
  }
}
