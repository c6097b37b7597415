import { labelOfFolder } from '@flowers/shared/model/labels'
import { formatTable } from '../dataset/csv-table.ts'
import { idOf, type ListedPhoto } from '../dataset/listed-photo.ts'
import type { Decisions } from './decisions.ts'

export interface CorrectedListing {
  /** A CSV DATA. */
  readonly csv: string
  readonly photos: number
  readonly changed: number
  readonly dropped: number
  /** Labels of which no photo is left. */
  readonly emptied: readonly string[]
}

/**
 * The photos of a DATA with a person's decisions carried out, as a CSV `path,label[,split]` with paths relative to `folder`.
 * Splits stay, and where DATA gives none, neither does the CSV.
 */
export function correctedListing(
  photos: readonly ListedPhoto[],
  { of }: Pick<Decisions, 'of'>,
  folder: string,
): CorrectedListing {
  const left = photos
    .filter(({ id }) => of.get(id) !== null)
    .map((photo) => ({ ...photo, label: of.get(photo.id) ?? photo.label }))
  const withSplit = left.every(({ split }) => split !== undefined)
  const rows = left.map(({ path, label, split }) => [idOf(folder, path), nameOf(label), ...(withSplit ? [split!] : [])])
  const labels = new Set(left.map(({ label }) => label))
  const dropped = photos.length - left.length
  return {
    csv: formatTable([['path', 'label', ...(withSplit ? ['split'] : [])], ...rows]),
    photos: left.length,
    changed: of.size - dropped,
    dropped,
    emptied: [...new Set(photos.map(({ label }) => label))].filter((label) => !labels.has(label)),
  }
}

/** The name of a class that is read as this label again: a number at its beginning would be taken for an order. */
const nameOf = (label: string): string => (labelOfFolder(label) === label ? label : `0-${label}`)
