import { labelOf } from '../dataset/labels.ts'
import type { ListedPhoto } from '../dataset/listed-photo.ts'
import { readTable, type Fail } from '../dataset/csv-table.ts'
import { nearestPaths } from '../recipe/nearest.ts'
import { TrainerError } from '../errors.ts'

/** What is to become of a photo: another label, or null: it is left out. */
export type Decision = string | null

export interface Decisions {
  /** By the id of the photo; photos that keep their labels have none. */
  readonly of: ReadonlyMap<string, Decision>
  /** Labels that no photo had before. */
  readonly fresh: readonly string[]
  /** Paths with a decision that no photo has. */
  readonly unknown: readonly string[]
}

const dropWord = 'drop'
const freshPrefix = /^new:/i

/**
 * Reads the decisions of a person about photos, from a CSV with the columns `path` and `decision`; other columns, the order
 * of rows and how a spreadsheet saves them do not matter. Throws LABELS_DECISION with the line, and what `readTable` throws.
 */
export async function readDecisions(csv: string, photos: readonly ListedPhoto[]): Promise<Decisions> {
  const fail: Fail = (line, what) => new TrainerError('LABELS_DECISION', `"${csv}", line ${line}: ${what}.`)
  const { header, rows } = await readTable(csv, fail)
  const columns = header?.fields.map((name) => name.trim().toLowerCase()) ?? []
  const [pathColumn, decisionColumn] = [columns.indexOf('path'), columns.indexOf('decision')]
  if (pathColumn < 0 || decisionColumn < 0)
    throw fail(1, 'the header has no column "path" or none "decision"; name the labels.csv that "data labels" wrote')
  const find = finder(photos)
  const labels = new Set(photos.map(({ label }) => label))
  const decided = new Map<string, { readonly line: number; readonly decision: Decision | undefined }>()
  const unknown: string[] = []
  for (const { line, fields } of rows) {
    const path = fields[pathColumn] ?? ''
    // Spreadsheets leave out what is empty at the end of a row.
    const text = (fields[decisionColumn] ?? '').trim()
    const photo = find(path)
    const decision = text === '' ? undefined : decisionOf(text, labels, (what) => fail(line, what))
    if (photo === undefined) {
      if (path !== '' || text !== '') unknown.push(path)
      continue
    }
    const earlier = decided.get(photo.id)
    if (earlier !== undefined && earlier.decision !== decision)
      throw fail(line, `"${path}" is already on line ${earlier.line}, with another decision`)
    decided.set(photo.id, { line, decision })
  }
  if (rows.length > 0 && decided.size === 0)
    throw new TrainerError(
      'LABELS_DECISION',
      `None of the paths of "${csv}" is a photo of the data; the first is "${unknown[0]}".`,
    )
  const labelNow = new Map(photos.map(({ id, label }) => [id, label]))
  const of = new Map<string, Decision>()
  for (const [id, { decision }] of decided)
    if (decision !== undefined && decision !== labelNow.get(id)) of.set(id, decision)
  const fresh = [...new Set(of.values())].filter((label) => label !== null).filter((label) => !labels.has(label))
  return { of, fresh, unknown }
}

/** Whether somebody has filled in a decision; a file that cannot be read as such a list is taken for one. */
export async function hasDecisions(csv: string): Promise<boolean> {
  const fail: Fail = (line, what) => new TrainerError('LABELS_DECISION', `"${csv}", line ${line}: ${what}.`)
  const table = await readTable(csv, fail).catch(() => null)
  const column = table?.header?.fields.indexOf('decision') ?? -1
  return column < 0 || table!.rows.some(({ fields }) => (fields[column] ?? '').trim() !== '')
}

function decisionOf(text: string, labels: ReadonlySet<string>, fail: (what: string) => Error): Decision {
  if (freshPrefix.test(text)) {
    const name = text.replace(freshPrefix, '').trim()
    if (name === '') throw fail('"new:" has no label after it')
    return name
  }
  if (text.toLowerCase() === dropWord) {
    if (labels.has(text)) throw fail(`there is a class "${text}": write new:${text} for that label`)
    return null
  }
  const known = [text, text.normalize('NFC'), labelOf(text)].find((form) => labels.has(form))
  if (known !== undefined) return known
  const near = nearestPaths(text, [...labels]).map((label) => `"${label}"`)
  const hint = near.length > 0 ? `; is ${near.join(' or ')} meant?` : '.'
  throw fail(`"${text}" is no label of the data${hint} A new one is written new:${text}`)
}

/** Finds the photo of a path as a spreadsheet may have saved it: in another Unicode form, with other line ends, or without spaces at its ends. */
function finder(photos: readonly ListedPhoto[]): (path: string) => ListedPhoto | undefined {
  const exact = new Map(photos.map((photo) => [photo.id, photo]))
  const loose = new Map<string, ListedPhoto | undefined>()
  for (const photo of photos) {
    const form = looseForm(photo.id)
    // Of several that would be the same none is guessed.
    loose.set(form, loose.has(form) ? undefined : photo)
  }
  return (path) => exact.get(path) ?? loose.get(looseForm(path))
}

const looseForm = (path: string): string =>
  path.normalize('NFC').replaceAll(/\r\n?/g, '\n').replaceAll('\\', '/').trim()
