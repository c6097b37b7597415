import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { unlessAbsent } from '@flowers/shared/files'
import pLimit from 'p-limit'
import { reasonOf } from '../console/system-error.ts'
import { readTable, type Fail } from './csv-table.ts'
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

/**
 * Reads a CSV with the header `path,label[,split]` (RFC 4180, or with semicolons or tabs; UTF-8 or UTF-16), paths relative
 * to the CSV. Throws a FlowersError with the line: DATA_CSV, DATA_SPLIT_UNKNOWN, DATA_PHOTO_MISSING; DATA_UNREADABLE.
 */
export async function readCsv(csv: string): Promise<Pick<NamedListing, 'photos' | 'passedOver' | 'emptyClasses'>> {
  const fail: Fail = (line, what) => new TrainerError('DATA_CSV', `"${csv}", line ${line}: ${what}.`)
  const rows = await readRows(csv, fail)
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

async function readRows(csv: string, fail: Fail): Promise<Row[]> {
  const { header, rows, delimiter } = await readTable(csv, fail)
  if (header === null) throw fail(1, 'the file is empty; it begins with the header path,label or path,label,split')
  const columns = header.fields.map((name) => name.toLowerCase())
  const known = new Set(['path', 'label', 'split'])
  const misplaced = columns.find((name, index) => !known.has(name) || columns.indexOf(name) !== index)
  if (misplaced !== undefined || !columns.includes('path') || !columns.includes('label')) {
    const written = header.fields.join(delimiter).slice(0, 80)
    throw fail(header.line, `the header is "${written}", not path,label or path,label,split`)
  }
  return rows.map(({ line, fields }) => {
    if (fields.length !== columns.length)
      throw fail(line, `${fields.length} fields where the header has ${columns.length}`)
    const field = (name: string) => fields[columns.indexOf(name)] ?? ''
    if (field('path') === '') throw fail(line, 'the path is empty')
    if (field('label') === '') throw fail(line, 'the label is empty')
    return { line, path: field('path'), className: field('label'), split: field('split') }
  })
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
