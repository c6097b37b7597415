import type { Dataset } from './dataset.ts'

/**
 * Ids of the training photos whose content has one of these SHA-256 hashes: photos that a person found to carry a wrong
 * label. Validation keeps its own, so that its figures stay comparable.
 */
export function ignoredPhotos({ train, files }: Pick<Dataset, 'train' | 'files'>, hashes: readonly string[]): string[] {
  const wanted = new Set(hashes)
  return train.filter(({ id }) => wanted.has(files.get(id)?.sha256 ?? '')).map(({ id }) => id)
}
