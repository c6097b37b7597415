import { TrainerError } from '../errors.ts'

export interface CsvText {
  readonly text: string
  readonly delimiter: ',' | ';' | '\t'
  /** Lines before the text. */
  readonly skipped: number
}

/**
 * The text of a CSV as programs save it: UTF-8 or UTF-16, its fields apart by commas, semicolons or tabs. Other encodings
 * do not say which they are, and a wrong guess would be a wrong label: throws DATA_CSV.
 */
export function csvText(csv: string, bytes: Uint8Array): CsvText {
  const all = decode(csv, bytes)
  // Excel writes and hides such a line.
  const told = /^sep=([,;\t])\r?\n/i.exec(all)
  const text = all.slice(told?.[0].length ?? 0)
  const separators = new Set(/^[^\r\n]*/.exec(text)?.[0])
  const delimiter = told?.[1] ?? [',', ';', '\t'].find((each) => separators.has(each)) ?? ','
  return { text, delimiter: delimiter as CsvText['delimiter'], skipped: told ? 1 : 0 }
}

function decode(csv: string, bytes: Uint8Array): string {
  const fail = (what: string, cause?: unknown) => new TrainerError('DATA_CSV', `"${csv}" ${what}.`, { cause })
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3)
    throw fail('is not UTF-8 text but a spreadsheet or an archive; save it as "CSV UTF-8"')
  const encoding = encodingOf(bytes)
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (cause) {
    throw fail(`is not ${encoding === 'utf-8' ? 'UTF-8' : 'UTF-16'} text; save it as "CSV UTF-8"`, cause)
  }
}

function encodingOf([first, second]: Uint8Array): string {
  // By its mark, or as a header of letters alone begins.
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le'
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be'
  return 'utf-8'
}
