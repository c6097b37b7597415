import { readFile } from 'node:fs/promises'
import { CsvError, parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import type { FlowersError } from '@flowers/shared/errors'
import { reasonOf } from '../console/system-error.ts'
import { csvText } from './csv-text.ts'
import { TrainerError } from '../errors.ts'

/** What is wrong on a line, as an error of the catalogue. */
export type Fail = (line: number, what: string) => FlowersError

interface CsvRow {
  /** Of the file, from 1: that on which the row ends. */
  readonly line: number
  readonly fields: readonly string[]
}

export interface CsvTable {
  /** Names of the columns as they are written; null: the file is empty. */
  readonly header: CsvRow | null
  readonly rows: readonly CsvRow[]
  readonly delimiter: string
}

/** With the fields of a record the library gives where it ends. */
interface CsvRecord {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

const options = { bom: true, info: true, skip_empty_lines: true, relax_column_count: true, trim: true } as const

/**
 * Reads a CSV (RFC 4180, or with semicolons or tabs; UTF-8 or UTF-16), spaces around fields apart. Throws DATA_UNREADABLE,
 * DATA_CSV for bytes that are no text, and what `fail` makes of a line that is no CSV.
 */
export async function readTable(csv: string, fail: Fail): Promise<CsvTable> {
  const bytes = await readFile(csv).catch((cause: unknown) => {
    throw new TrainerError('DATA_UNREADABLE', `"${csv}" cannot be read: ${reasonOf(cause)}.`, { cause })
  })
  const { text, delimiter, skipped } = csvText(csv, bytes)
  let records: CsvRecord[]
  try {
    // The library's types leave out what `info` does to the result.
    records = parse(text, { ...options, delimiter }) as unknown[] as CsvRecord[]
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw fail(Number(error['lines'] ?? 1) + skipped, csvFault(error.code))
  }
  const [header = null, ...rows] = records.map(({ record, info }) => ({ line: info.lines + skipped, fields: record }))
  return { header, rows, delimiter }
}

function csvFault(code: string): string {
  const faults: Record<string, string> = {
    CSV_QUOTE_NOT_CLOSED: 'a quote is opened and not closed',
    CSV_INVALID_CLOSING_QUOTE: 'text after a closing quote',
    INVALID_OPENING_QUOTE: 'a quote in the middle of a field',
  }
  return faults[code] ?? `not CSV (${code})`
}

/**
 * Rows as the text of a CSV. It begins with the mark of UTF-8 where a text goes beyond ASCII: without it Excel takes the
 * encoding for another.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  // A lone carriage return ends a line for some readers, and spaces at the ends are lost on others.
  const text = stringify(
    rows.map((row) => [...row]),
    { quoted_match: /[\r\t;]|^\s|\s$/ },
  )
  return /^\p{ASCII}*$/u.test(text) ? text : `\ufeff${text}`
}
