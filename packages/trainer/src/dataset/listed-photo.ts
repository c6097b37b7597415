import { relative, sep } from 'node:path'
import type { EmptyClass, PassedOver } from './passed-over.ts'

/** `test` is kept aside: neither trained on nor chosen on. */
export type Split = 'train' | 'valid' | 'test'

export const splits: readonly Split[] = ['train', 'valid', 'test']

/** A photo as DATA names it. */
export interface ListedPhoto {
  /** Absolute. */
  readonly path: string
  /** Relative to the listing's root, with forward slashes; the photo's stable name. */
  readonly id: string
  readonly label: string
  /** Undefined where DATA gives no split. */
  readonly split: Split | undefined
}

/** What DATA holds, without a look into the photos. */
export interface Listing {
  readonly form: 'classes' | 'splits' | 'csv'
  /** Folder that ids are relative to: DATA itself, or the CSV's folder. Absolute. */
  readonly root: string
  /** In order of id. */
  readonly photos: readonly ListedPhoto[]
  /** Files in class folders that are no photos by their names, by id; to be reported. */
  readonly ignored: readonly string[]
  /** What else was found and not used; to be reported. */
  readonly passedOver: readonly PassedOver[]
  /** Classes without a photo; they have no label. To be reported. */
  readonly emptyClasses: readonly EmptyClass[]
  /** Photos of the folder `others`, which are of no class, in order of id. */
  readonly others: readonly Pick<ListedPhoto, 'path' | 'id'>[]
}

/** Order of code units: the same on every machine, whatever its language. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A path relative to DATA with forward slashes. */
export function idOf(root: string, path: string): string {
  return relative(root, path).split(sep).join('/')
}
