import { CsvError, parse } from 'csv-parse/sync'
import { z } from 'zod'
import { SharedError } from '../errors.ts'

/** What `names.csv` of a model folder says of labels. */
export interface ModelNames {
  /** Label to the group it belongs to, as `tulip` of sorts of tulips. Holds the labels of the model that have one. */
  readonly groups: ReadonlyMap<string, string>
  /** Labels of the file that the model does not have, in their order. */
  readonly strangers: readonly string[]
}

/** Of a model without the file. */
export const noNames: ModelNames = { groups: new Map(), strangers: [] }

/** Other columns are names in languages, links and notes. */
const rowSchema = z.looseObject({ label: z.string().min(1), group: z.string().optional() })

/** A row as the library gives it. `lines` counts to the end of the row. */
const parsedSchema = z.array(z.object({ record: rowSchema, info: z.object({ lines: z.int() }) }))

const faults: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and not closed',
  CSV_INVALID_CLOSING_QUOTE: 'text stands after a closing quote',
  INVALID_OPENING_QUOTE: 'a quote stands in the middle of a field',
  CSV_RECORD_INCONSISTENT_COLUMNS: 'it has more or fewer fields than the header',
}

/**
 * Reads the content of `names.csv`: UTF-8, fields apart by commas (or semicolons or tabs, as the header has them), a header
 * with the column `label` and perhaps `group`, then a line for a label; labels may be left out. `path` is for messages.
 * Throws MODEL_NAMES, with the line, for what is not such a file and for a label that occurs twice.
 */
export function parseNames(content: Uint8Array, labels: readonly string[], path: string): ModelNames {
  const fail = (what: string, cause?: unknown): SharedError =>
    new SharedError('MODEL_NAMES', `${path}${what}.`, { cause })
  const text = decode(content, fail)
  const rows = readRows(text, fail)
  const lineOf = new Map<string, number>()
  const groups = new Map<string, string>()
  const known = new Set(labels)
  for (const { record, info } of rows) {
    const { label, group } = record
    const earlier = lineOf.get(label)
    if (earlier !== undefined) throw fail(`, line ${info.lines}: the label "${label}" is already on line ${earlier}`)
    lineOf.set(label, info.lines)
    if (group && known.has(label)) groups.set(label, group)
  }
  return { groups, strangers: [...lineOf.keys()].filter((label) => !known.has(label)) }
}

type Fail = (what: string, cause?: unknown) => SharedError

function decode(content: Uint8Array, fail: Fail): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch (cause) {
    throw fail(' is not UTF-8 text', cause)
  }
}

function readRows(text: string, fail: Fail): z.output<typeof parsedSchema> {
  const firstLine = /^[^\r\n]*/.exec(text)![0]
  const delimiter = [',', ';', '\t'].find((each) => firstLine.includes(each)) ?? ','
  let header: string[] = []
  const columns = (names: string[]): string[] => (header = names.map((name) => name.toLowerCase()))
  let rows: unknown
  try {
    rows = parse(text, { columns, delimiter, info: true, skip_empty_lines: true, trim: true })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw fail(`, line ${Number(error['lines'] ?? 1)}: ${faults[error.code] ?? `it is no CSV (${error.code})`}`, error)
  }
  if (!header.includes('label')) throw fail(' has no column "label" in its first line')
  const twice = ['label', 'group'].find((name) => header.indexOf(name) !== header.lastIndexOf(name))
  if (twice !== undefined) throw fail(` has the column "${twice}" twice`)
  const parsed = parsedSchema.safeParse(rows)
  if (parsed.success) return parsed.data
  throw fail(`: row ${Number(parsed.error.issues[0]?.path[0] ?? 0) + 1} has no label`, parsed.error)
}
