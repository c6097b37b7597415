import type { Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { unlessAbsent } from '@flowers/shared/files'
import type { FlowersError } from '@flowers/shared/errors'
import { CsvError, parse } from 'csv-parse/sync'
import pLimit from 'p-limit'
import { reasonOf } from '../console/system-error.ts'
import { csvText, type CsvText } from './csv-text.ts'
import { DiskNames } from './disk-names.ts'
import type { NamedListing } from './folder-listing.ts'
import { labelOf, type NamedPhoto } from './labels.ts'
import { idOf } from './listed-photo.ts'
import type { PassedOver } from './passed-over.ts'
import { splitNamed } from './split-name.ts'
import { isSystemName } from './system-names.ts'
import { specialKind } from './walk.ts'
import { TrainerError } from '../errors.ts'

interface Row {
  readonly line: number
  readonly path: string
  readonly className: string
  readonly split: string
}

/** A row with its file: the path, or what is there that is no photo. */
interface Located extends Row {
  readonly file: string
  readonly instead: Omit<PassedOver, 'id'> | null
}

type Fail = (line: number, what: string) => FlowersError

/**
 * Reads a CSV with the header `path,label[,split]` (RFC 4180, or with semicolons or tabs; UTF-8 or UTF-16), paths relative
 * to the CSV. Throws a FlowersError with the line: DATA_CSV, DATA_SPLIT_UNKNOWN, DATA_PHOTO_MISSING; DATA_UNREADABLE.
 */
export async function readCsv(csv: string): Promise<Pick<NamedListing, 'photos' | 'passedOver' | 'emptyClasses'>> {
  const fail: Fail = (line, what) => new TrainerError('DATA_CSV', `"${csv}", line ${line}: ${what}.`)
  const rows = parseRows(csvText(csv, await readFile(csv).catch(refuse(csv))), fail)
  requireSplits(csv, rows, fail)
  const root = dirname(csv)
  const located = await locate(csv, rows)
  requireDistinct(located, fail)
  // With train alone the split is still to be made, as for a folder with train/ alone.
  const alone = rows.every((row) => splitNamed(row.split) === 'train')
  const photos = located
    .filter(({ instead }) => instead === null)
    .map(({ file, className, split }): NamedPhoto => {
      return { path: file, id: idOf(root, file), className, split: alone ? undefined : splitNamed(split) }
    })
  const filled = new Set(photos.map(({ className }) => labelOf(className)))
  const empty = new Set(rows.map(({ className }) => labelOf(className)).filter((label) => !filled.has(label)))
  return {
    photos,
    passedOver: located.flatMap(({ file, instead }) => (instead ? [{ id: idOf(root, file), ...instead }] : [])),
    emptyClasses: [...empty].map((id) => ({ id, reason: 'holds no photo' })),
  }
}

const refuse = (csv: string) => (cause: unknown) => {
  throw new TrainerError('DATA_UNREADABLE', `"${csv}" cannot be read: ${reasonOf(cause)}.`, { cause })
}

function requireSplits(csv: string, rows: readonly Row[], fail: Fail): void {
  const withoutSplit = rows.find((row) => row.split === '')
  const withSplit = rows.find((row) => row.split !== '')
  if (withSplit !== undefined && withoutSplit !== undefined) {
    throw fail(withoutSplit.line, `no split, but line ${withSplit.line} has one; give it on every line or on none`)
  }
  const unknown = rows.find((row) => row.split !== '' && splitNamed(row.split) === undefined)
  if (unknown !== undefined) {
    throw new TrainerError('DATA_SPLIT_UNKNOWN', `"${csv}", line ${unknown.line}: "${unknown.split}" is no split.`)
  }
}

function requireDistinct(rows: readonly Located[], fail: Fail): void {
  const lineOf = new Map<string, number>()
  for (const { file, path, line } of rows) {
    const earlier = lineOf.get(file)
    if (earlier !== undefined) throw fail(line, `the path "${path}" is already on line ${earlier}`)
    lineOf.set(file, line)
  }
}

interface CsvRecord {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

const csvOptions = { bom: true, info: true, skip_empty_lines: true, relax_column_count: true, trim: true } as const

function parseRows({ text, delimiter, skipped }: CsvText, fail: Fail): Row[] {
  let records: CsvRecord[]
  try {
    // The library's types leave out what `info` does to the result.
    records = parse(text, { ...csvOptions, delimiter }) as unknown[] as CsvRecord[]
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw fail(Number(error['lines'] ?? 1) + skipped, csvFault(error.code))
  }
  const header = records[0]
  if (header === undefined) throw fail(1, 'the file is empty; it begins with the header path,label or path,label,split')
  const columns = header.record.map((name) => name.toLowerCase())
  const known = new Set(['path', 'label', 'split'])
  const misplaced = columns.find((name, index) => !known.has(name) || columns.indexOf(name) !== index)
  if (misplaced !== undefined || !columns.includes('path') || !columns.includes('label')) {
    throw fail(
      header.info.lines + skipped,
      `the header is "${header.record.join(delimiter).slice(0, 80)}", not path,label or path,label,split`,
    )
  }
  return records.slice(1).map(({ record, info }) => {
    // `lines` counts to the end of the record.
    const line = info.lines + skipped
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

/** The file of each row. Throws DATA_PHOTO_MISSING where there is none. */
async function locate(csv: string, rows: readonly Row[]): Promise<Located[]> {
  const limit = pLimit(8)
  const disk = new DiskNames()
  const root = dirname(csv)
  const missing: Row[] = []
  const located = await limit.map(rows, async (row): Promise<Located> => {
    try {
      const file = await disk.find(root, row.path)
      const found = await unlessAbsent(stat(file))
      if (found === undefined || found.isDirectory()) missing.push(row)
      return { ...row, file, instead: insteadOf(idOf(root, file), found) }
    } catch (error) {
      const circle = (error as NodeJS.ErrnoException).code === 'ELOOP'
      // What may not be read is the audit's to report.
      return {
        ...row,
        file: resolve(root, row.path),
        instead: circle ? { reason: reasonOf(error), system: false } : null,
      }
    }
  })
  const first = missing.toSorted((a, b) => a.line - b.line)[0]
  if (first === undefined) return located
  const more = missing.length > 1 ? ` ${missing.length - 1} more of its paths lead nowhere.` : ''
  const windows = /^[a-z]:|^\\\\/i.test(first.path) ? ' That is a path of Windows: write it relative to the CSV.' : ''
  throw new TrainerError(
    'DATA_PHOTO_MISSING',
    `"${csv}", line ${first.line}: there is no file "${first.path}".${windows}${more}`,
  )
}

function insteadOf(id: string, found: Stats | undefined): Located['instead'] {
  if (found && !found.isFile() && !found.isDirectory()) return { reason: specialKind(found), system: false }
  // Lists made by a program name previews too; what only hides may be a store of the person's.
  const made = id.split('/').some(isSystemName)
  return made ? { reason: 'made by a system or a program', system: true } : null
}
