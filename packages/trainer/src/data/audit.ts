import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { FlowersError } from '@flowers/shared/errors'
import { readImageHeader } from '@flowers/shared/image'
import pLimit from 'p-limit'
import sharp from 'sharp'
import { readSoundPhotos, writeSoundPhotos, type SoundPhotos } from './audit-cache.ts'
import { samplesOf, withoutPhotos, type Dataset, type Sample } from './dataset.ts'
import type { Split } from './listed-photo.ts'
import { groupBy } from './split.ts'

interface Kind {
  /** An error would corrupt the result, so training does not begin; a warning is worth a look. */
  readonly severity: 'error' | 'warning'
  readonly title: string
}

/** What an audit looks for, in the order of its report. */
const auditKinds = {
  unreadable: { severity: 'error', title: 'Photos that cannot be decoded' },
  truncated: { severity: 'error', title: 'Photos that break off or are damaged' },
  acrossClasses: { severity: 'error', title: 'One photo under several labels' },
  acrossSplits: { severity: 'error', title: 'One photo in several splits' },
  duplicate: { severity: 'warning', title: 'Copies within a class and split' },
  tooSmall: { severity: 'warning', title: 'Photos that are too small' },
  flawed: { severity: 'warning', title: 'Photos with flaws that decode all the same' },
  notPhoto: { severity: 'warning', title: 'Files that are no photos by their names, not used' },
  notValidated: { severity: 'warning', title: 'Classes without validation photos' },
} as const satisfies Record<string, Kind>

type AuditKind = keyof typeof auditKinds

interface Problem {
  readonly kind: AuditKind
  /** The photos (or other files) concerned, by id; empty where it is a class. */
  readonly ids: readonly string[]
  /** The facts, without the ids. */
  readonly detail: string
}

export interface Audit {
  /** Photos looked at. */
  readonly checked: number
  readonly classes: number
  readonly counts: Readonly<Record<Split, number>>
  /** Smallest and largest number of training photos a class has. */
  readonly perClass: readonly [number, number]
  /** In the order of `auditKinds`, then of id. */
  readonly problems: readonly Problem[]
  readonly errors: number
  readonly warnings: number
  /**
   * Ids to leave out so that no error remains: what cannot be decoded, every copy of a photo with several labels (which
   * one is right is not known), and of a photo in several splits the copies that come before test, then before valid,
   * so that what is measured on stays as it was given.
   */
  readonly offenders: readonly string[]
}

export interface AuditOptions {
  /** A photo whose shorter side has fewer pixels is too small. */
  readonly minimumSize: number
  /** A file that remembers sound photos by content, so that they are decoded in the first audit only. */
  readonly cacheFile?: string
  /** Photos looked at so far, of all. */
  readonly onProgress?: (done: number, total: number) => void
}

interface Finding {
  readonly kind: AuditKind
  readonly detail: string
}

/**
 * Decodes every photo to its last byte and compares their contents. Memory is bounded by the photos in flight, one a
 * core. Never throws for what it finds: see `requireSound` and `withoutOffenders`.
 */
export async function auditDataset(dataset: Dataset, options: AuditOptions): Promise<Audit> {
  const all = [...samplesOf(dataset)]
  const limit = pLimit(Math.max(2, availableParallelism()))
  sharp.concurrency(1)
  const { cacheFile, minimumSize, onProgress } = options
  const sound: SoundPhotos = cacheFile === undefined ? new Map() : await readSoundPhotos(cacheFile)
  const known = sound.size
  let done = 0
  const findings = await limit.map(all, async ({ sample }) => {
    const finding = await inspect(sample.path, dataset.files.get(sample.id)?.sha256 ?? '', minimumSize, sound)
    onProgress?.(++done, all.length)
    return finding
  })
  if (cacheFile !== undefined && sound.size > known) await writeSoundPhotos(cacheFile, sound)
  const problems: Problem[] = []
  findings.forEach((finding, index) => {
    const id = all[index]?.sample.id
    if (finding && id !== undefined) problems.push({ ...finding, ids: [id] })
  })
  const copies = [...groupBy(all, ({ sample }) => dataset.files.get(sample.id)?.sha256 ?? sample.id).values()].filter(
    (group) => group.length > 1,
  )
  for (const group of copies) problems.push(judgeCopies(group))
  for (const id of dataset.ignored) problems.push({ kind: 'notPhoto', ids: [id], detail: '' })
  const validated = new Set(dataset.valid.map((sample) => sample.label))
  for (const label of dataset.labels) {
    if (!validated.has(label)) problems.push({ kind: 'notValidated', ids: [], detail: label })
  }
  return summarize(dataset, problems)
}

function summarize(dataset: Dataset, problems: readonly Problem[]): Audit {
  const kinds = Object.keys(auditKinds)
  const ordered = problems.toSorted((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind))
  const count = (severity: Kind['severity']) =>
    ordered.filter(({ kind }) => auditKinds[kind].severity === severity).length
  const perClass = [...groupBy(dataset.train, (sample) => sample.label).values()].map((members) => members.length)
  const splitOf = new Map([...samplesOf(dataset)].map(({ sample, split }) => [sample.id, split]))
  return {
    checked: splitOf.size,
    classes: dataset.labels.length,
    counts: { train: dataset.train.length, valid: dataset.valid.length, test: dataset.test.length },
    perClass: [Math.min(...perClass), Math.max(...perClass)],
    problems: ordered,
    errors: count('error'),
    warnings: count('warning'),
    offenders: [...new Set(ordered.flatMap((problem) => offendersOf(problem, splitOf)))],
  }
}

function offendersOf({ kind, ids }: Problem, splitOf: ReadonlyMap<string, Split>): readonly string[] {
  if (auditKinds[kind].severity !== 'error') return []
  if (kind !== 'acrossSplits') return ids
  const kept = (['test', 'valid'] as const).find((split) => ids.some((id) => splitOf.get(id) === split))
  return ids.filter((id) => splitOf.get(id) !== kept)
}

function judgeCopies(group: readonly { sample: Sample; split: Split }[]): Problem {
  const ids = group.map(({ sample }) => sample.id)
  const labels = [...new Set(group.map(({ sample }) => sample.label))]
  const splits = [...new Set(group.map(({ split }) => split))]
  if (labels.length > 1) return { kind: 'acrossClasses', ids, detail: labels.join(', ') }
  if (splits.length > 1) return { kind: 'acrossSplits', ids, detail: splits.join(', ') }
  return { kind: 'duplicate', ids, detail: `${group.length} copies` }
}

async function inspect(
  path: string,
  sha256: string,
  minimumSize: number,
  sound: SoundPhotos,
): Promise<Finding | undefined> {
  const known = sound.get(sha256)
  if (known) return judgeSize(...known, minimumSize)
  let bytes: Buffer
  let size: { width: number; height: number }
  try {
    bytes = await readFile(path)
    size = await readImageHeader(bytes)
  } catch (error) {
    return { kind: 'unreadable', detail: reasonOf(error) }
  }
  const broken = await decodeFully(bytes)
  if (broken) return broken
  sound.set(sha256, [size.width, size.height])
  return judgeSize(size.width, size.height, minimumSize)
}

function judgeSize(width: number, height: number, minimumSize: number): Finding | undefined {
  if (Math.min(width, height) >= minimumSize) return undefined
  return { kind: 'tooSmall', detail: `${width} x ${height} pixels, less than ${minimumSize}` }
}

/** Reads to the last row, in little memory; where the strictest reading fails, finds out how bad it is. */
async function decodeFully(bytes: Buffer): Promise<Finding | undefined> {
  if (await decodes(bytes, 'warning')) return undefined
  // What training and service accept.
  if (await decodes(bytes, 'error')) return { kind: 'flawed', detail: '' }
  if (await decodes(bytes, 'none')) return { kind: 'truncated', detail: '' }
  return { kind: 'unreadable', detail: 'The header can be read, the pixels cannot.' }
}

/** The decoder's own words are left out: it shares them between threads, and they differ from run to run. */
async function decodes(bytes: Buffer, failOn: 'none' | 'error' | 'warning'): Promise<boolean> {
  try {
    await sharp(bytes, { failOn, limitInputPixels: false, pages: 1 }).resize(16, 16, { fit: 'fill' }).raw().toBuffer()
    return true
  } catch {
    return false
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.trim().split('\n')[0] ?? ''
}

/** Throws DATA_AUDIT where the audit found errors; the message lists the first of them. */
export function requireSound(audit: Audit): void {
  if (audit.errors === 0) return
  const lines = audit.problems
    .filter(({ kind }) => auditKinds[kind].severity === 'error')
    .slice(0, 5)
    .map((problem) => `  ${auditKinds[problem.kind].title}: ${lineOf(problem)}`)
  const rest = audit.errors > 5 ? [`  and ${audit.errors - 5} more`] : []
  throw new FlowersError(
    'DATA_AUDIT',
    [`The audit found ${counted(audit.errors, 'error')}:`, ...lines, ...rest].join('\n'),
  )
}

/** The dataset without the offenders of its audit, and the list of them. Throws as `withoutPhotos` does. */
export function withoutOffenders(dataset: Dataset, audit: Audit): { dataset: Dataset; excluded: readonly string[] } {
  if (audit.offenders.length === 0) return { dataset, excluded: [] }
  return { dataset: withoutPhotos(dataset, new Set(audit.offenders)), excluded: audit.offenders }
}

/** The report as text, at most `limit` lines of each kind. */
export function formatAudit(audit: Audit, limit = 10): string {
  const { train, valid, test } = audit.counts
  const kept = test > 0 ? `, ${test} test (kept aside)` : ''
  const [fewest, most] = audit.perClass
  const lines = [
    `${audit.checked} photos in ${audit.classes} classes: ${train} train (${fewest} to ${most} a class), ${valid} valid${kept}`,
  ]
  for (const [kind, { severity, title }] of Object.entries(auditKinds)) {
    const found = audit.problems.filter((problem) => problem.kind === kind)
    if (found.length === 0) continue
    lines.push('', `${severity.padEnd(7)}  ${title}: ${found.length}`)
    for (const problem of found.slice(0, limit)) lines.push(`         ${lineOf(problem)}`)
    if (found.length > limit) lines.push(`         and ${found.length - limit} more`)
  }
  lines.push('', `${counted(audit.errors, 'error')}, ${counted(audit.warnings, 'warning')}`)
  return lines.join('\n')
}

function lineOf({ ids, detail }: Problem): string {
  return [ids.join(' = '), detail].filter((part) => part !== '').join('  ')
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`
}
