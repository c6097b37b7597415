import { trainCounts, type Dataset } from '../dataset/dataset.ts'
import { quantile } from '../measure/bootstrap.ts'
import { choosingPhotos } from '../measure/split-validation.ts'
import type { Recipe } from '../recipe/schema.ts'
import type { PhotoFacts } from './plan-quick.ts'

/** Where nothing is known of any photo. */
const usualSide = 224

/** What a plan needs to know of photos that an audit has looked at. */
export function surveyPhotos(
  dataset: Pick<Dataset, 'train' | 'valid' | 'labels' | 'files' | 'verified'>,
  { seed, selection }: Pick<Recipe, 'seed'> & Pick<Recipe['data'], 'selection'>,
): PhotoFacts {
  const { train, valid, files, verified } = dataset
  const sides = train
    .map(({ id }) => verified.get(files.get(id)?.sha256 ?? ''))
    .filter((photo) => photo !== undefined)
    .map(({ width, height }) => Math.min(width, height))
    .toSorted((a, b) => a - b)
  return {
    counts: trainCounts(dataset),
    valid: choosingPhotos(valid, selection, seed).length,
    shortSide: sides.length === 0 ? usualSide : quantile(sides, 0.5),
  }
}
