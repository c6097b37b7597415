import { relative, sep } from 'node:path'

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

/** Order of code units: the same on every machine, whatever its language. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A path relative to DATA with forward slashes. */
export function idOf(root: string, path: string): string {
  return relative(root, path).split(sep).join('/')
}
