import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { FlowersError } from '@flowers/shared/errors'
import { CsvError, parse } from 'csv-parse/sync'
import pLimit from 'p-limit'
import type { NamedPhoto } from './labels.ts'
import { idOf, splits, type Split } from './listed-photo.ts'
import { TrainerError } from '../errors.ts'

interface Row {
  readonly line: number
  readonly path: string
  readonly className: string
  readonly split: string
}

/**
 * Reads a CSV with the header `path,label[,split]` (UTF-8, RFC 4180), paths relative to the CSV. Throws a FlowersError
 * with the line: DATA_CSV, DATA_SPLIT_UNKNOWN, DATA_PHOTO_MISSING.
 */
export async function readCsv(csv: string): Promise<NamedPhoto[]> {
  const fail = (line: number, what: string) => new TrainerError('DATA_CSV', `"${csv}", line ${line}: ${what}.`)
  const rows = parseRows(await readText(csv), fail)
  const root = dirname(csv)

  const lineOf = new Map<string, number>()
  for (const row of rows) {
    const path = resolve(root, row.path)
    const earlier = lineOf.get(path)
    if (earlier !== undefined) throw fail(row.line, `the path "${row.path}" is already on line ${earlier}`)
    lineOf.set(path, row.line)
  }

  const withoutSplit = rows.find((row) => row.split === '')
  const withSplit = rows.find((row) => row.split !== '')
  if (withSplit !== undefined && withoutSplit !== undefined) {
    throw fail(withoutSplit.line, `no split, but line ${withSplit.line} has one; give it on every line or on none`)
  }
  const unknown = rows.find((row) => row.split !== '' && !isSplit(row.split))
  if (unknown !== undefined) {
    throw new TrainerError('DATA_SPLIT_UNKNOWN', `"${csv}", line ${unknown.line}: "${unknown.split}" is no split.`)
  }
  // With train alone the split is still to be made, as for a folder with train/ alone.
  const alone = rows.every((row) => row.split === 'train')

  const photos = rows.map((row): NamedPhoto => {
    const path = resolve(root, row.path)
    const split = alone || !isSplit(row.split) ? undefined : row.split
    return { path, id: idOf(root, path), className: row.className, split }
  })
  await requirePhotos(csv, rows, photos)
  return photos
}

function isSplit(name: string): name is Split {
  return (splits as readonly string[]).includes(name)
}

async function readText(csv: string): Promise<string> {
  const bytes = await readFile(csv)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new TrainerError('DATA_CSV', `"${csv}" is not UTF-8 text.`, { cause: error })
  }
}

interface CsvRecord {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

const csvOptions = { bom: true, info: true, skip_empty_lines: true, relax_column_count: true, trim: true } as const

function parseRows(text: string, fail: (line: number, what: string) => FlowersError): Row[] {
  let records: CsvRecord[]
  try {
    // The library's types leave out what `info` does to the result.
    records = parse(text, csvOptions) as unknown[] as CsvRecord[]
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw fail(Number(error['lines'] ?? 1), csvFault(error.code))
  }
  const header = records[0]
  if (header === undefined) throw fail(1, 'the file is empty; it begins with the header path,label or path,label,split')
  const columns = header.record
  const known = new Set(['path', 'label', 'split'])
  const misplaced = columns.find((name, index) => !known.has(name) || columns.indexOf(name) !== index)
  if (misplaced !== undefined || !columns.includes('path') || !columns.includes('label')) {
    throw fail(
      header.info.lines,
      `the header is "${columns.join(',').slice(0, 80)}", not path,label or path,label,split`,
    )
  }
  return records.slice(1).map(({ record, info }) => {
    // `lines` counts to the end of the record.
    const line = info.lines
    if (record.length !== columns.length)
      throw fail(line, `${record.length} fields where the header has ${columns.length}`)
    const field = (name: string) => record[columns.indexOf(name)] ?? ''
    if (field('path') === '') throw fail(line, 'the path is empty')
    if (field('label') === '') throw fail(line, 'the label is empty')
    return { line, path: field('path'), className: field('label'), split: field('split') }
  })
}

function csvFault(code: string): string {
  const faults: Record<string, string> = {
    CSV_QUOTE_NOT_CLOSED: 'a quote is opened and not closed',
    CSV_INVALID_CLOSING_QUOTE: 'text after a closing quote',
    INVALID_OPENING_QUOTE: 'a quote in the middle of a field',
  }
  return faults[code] ?? `not CSV (${code})`
}

async function requirePhotos(csv: string, rows: readonly Row[], photos: readonly NamedPhoto[]): Promise<void> {
  const limit = pLimit(8)
  const found = await limit.map(photos, ({ path }) => stat(path).catch(() => undefined))
  const missing = rows.filter((_, index) => !found[index]?.isFile())
  const first = missing[0]
  if (first === undefined) return
  const more = missing.length > 1 ? ` ${missing.length - 1} more of its paths lead nowhere.` : ''
  throw new TrainerError('DATA_PHOTO_MISSING', `"${csv}", line ${first.line}: there is no file "${first.path}".${more}`)
}
