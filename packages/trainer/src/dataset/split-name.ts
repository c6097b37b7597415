import type { Split } from './listed-photo.ts'

const spellings: Readonly<Record<string, Split>> = {
  train: 'train',
  training: 'train',
  valid: 'valid',
  val: 'valid',
  validation: 'valid',
  test: 'test',
  testing: 'test',
}

/** The split that a folder or a CSV names, in any case of letters; undefined for another name. */
export function splitNamed(name: string): Split | undefined {
  const plain = name.trim().toLowerCase()
  return Object.hasOwn(spellings, plain) ? spellings[plain] : undefined
}
