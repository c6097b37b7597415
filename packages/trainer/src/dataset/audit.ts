import { groupBy } from '@flowers/shared/group-by'
import { oneLine } from '@flowers/shared/printable'
import { plural } from '../console/format.ts'
import { inspectAll, samplesOf, withoutPhotos, type Dataset, type Sample } from './dataset.ts'
import type { Inspection } from './inspect-photo.ts'
import type { Split } from './listed-photo.ts'
import { systemLines } from './passed-over.ts'
import { nearDuplicates } from './near-duplicates.ts'
import { twinLabels } from './twin-labels.ts'
import type { OnProgress } from '../console/bar.ts'
import { TrainerError } from '../errors.ts'

interface Kind {
  /** An error would corrupt the result, so training does not begin; a warning is worth a look; a note is no flaw. */
  readonly severity: 'error' | 'warning' | 'note'
  readonly title: string
  /** Of an error: what is said of its photos after their number. */
  readonly fault?: string
}

/** What an audit looks for, in the order of its text. */
export const auditKinds = {
  unreadable: { severity: 'error', title: 'Photos that cannot be decoded', fault: 'cannot be decoded' },
  truncated: {
    severity: 'error',
    title: 'Photos that break off or are damaged',
    fault: 'cannot be decoded to the end',
  },
  acrossClasses: {
    severity: 'error',
    title: 'One photo under several labels',
    fault: 'can be found under several labels',
  },
  acrossSplits: { severity: 'error', title: 'One photo in several splits', fault: 'can be found in several splits' },
  nearAcrossClasses: { severity: 'warning', title: 'Near-duplicates under several labels, of which one may be wrong' },
  nearAcrossSplits: { severity: 'warning', title: 'Near-duplicates in several splits, which flatter what is measured' },
  duplicate: { severity: 'warning', title: 'Copies within a class and split' },
  tooSmall: { severity: 'warning', title: 'Photos that are too small' },
  flawed: { severity: 'warning', title: 'Photos with flaws that decode all the same' },
  emptyClass: { severity: 'warning', title: 'Classes without a photo, not trained' },
  passedOver: { severity: 'warning', title: 'Files and folders that are passed over' },
  notPhoto: { severity: 'warning', title: 'Files that are no photos by their names, not used' },
  twinLabels: { severity: 'warning', title: 'Classes with nearly the same name' },
  notValidated: { severity: 'warning', title: 'Classes without validation photos' },
  systemMade: { severity: 'note', title: 'Passed over, as systems make them' },
  nearDuplicate: { severity: 'note', title: 'Near-duplicates within a class and split' },
} as const satisfies Record<string, Kind>

export type AuditKind = keyof typeof auditKinds

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
  /** Photos of the folder `others`, which are of no class; not looked at. */
  readonly others: number
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
  /** Photos looked at so far, of all. */
  readonly onProgress?: OnProgress
  /** Abort to stop between two photos. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Decodes every photo to its last byte and compares their contents and perceptual hashes. Memory is bounded by the photos in flight,
 * one a core. Never throws for what it finds: see `requireNoErrors` and `withoutOffenders`.
 */
export async function auditDataset(dataset: Dataset, options: AuditOptions): Promise<Audit> {
  const all = [...samplesOf(dataset)]
  const { minimumSize, onProgress, signal } = options
  const inspections = await inspectAll(
    all.map(({ sample }) => sample),
    dataset,
    { onProgress, signal },
  )
  const problems: Problem[] = []
  inspections.forEach((inspection, index) => {
    const flaw = inspection.flaw ?? judgeSize(inspection, minimumSize)
    if (flaw) problems.push({ ...flaw, ids: [all[index]!.sample.id] })
  })
  const contentOf = ({ sample }: Placed): string => dataset.files.get(sample.id)?.sha256 ?? sample.id
  for (const group of groupBy(all, contentOf).values()) {
    if (group.length > 1) problems.push(judgeCopies(group, copyKinds))
  }
  for (const places of nearDuplicates(inspections.map(({ perceptualHash }) => perceptualHash))) {
    const group = places.map((place) => all[place]!)
    if (new Set(group.map(contentOf)).size > 1) problems.push(judgeCopies(group, nearKinds))
  }
  for (const { id, reason } of dataset.emptyClasses) problems.push({ kind: 'emptyClass', ids: [id], detail: reason })
  for (const { id, reason, system } of dataset.passedOver)
    if (!system) problems.push({ kind: 'passedOver', ids: [id], detail: reason })
  for (const detail of systemLines(dataset.passedOver)) problems.push({ kind: 'systemMade', ids: [], detail })
  for (const id of dataset.ignored) problems.push({ kind: 'notPhoto', ids: [id], detail: '' })
  problems.push(...judgeNames(dataset))
  const splitOf = new Map(all.map(({ sample, split }) => [sample.id, split]))
  const offenders = new Set(inOrder(problems).flatMap((problem) => offendersOf(problem, splitOf)))
  problems.push(...judgeValidation(dataset, offenders))
  return summarize(dataset, inOrder(problems), [...offenders])
}

const kinds = Object.keys(auditKinds)

const inOrder = (problems: readonly Problem[]): Problem[] =>
  problems.toSorted((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind))

function summarize(dataset: Dataset, ordered: readonly Problem[], offenders: readonly string[]): Audit {
  const count = (severity: Kind['severity']) =>
    ordered.filter(({ kind }) => auditKinds[kind].severity === severity).length
  const perClass = [...groupBy(dataset.train, (sample) => sample.label).values()].map((members) => members.length)
  return {
    checked: [...samplesOf(dataset)].length,
    classes: dataset.labels.length,
    counts: { train: dataset.train.length, valid: dataset.valid.length, test: dataset.test.length },
    others: dataset.others.length,
    perClass: [perClass.reduce((a, b) => Math.min(a, b)), perClass.reduce((a, b) => Math.max(a, b))],
    problems: ordered,
    errors: count('error'),
    warnings: count('warning'),
    offenders,
  }
}

function judgeNames(dataset: Dataset): Problem[] {
  const photos = groupBy(samplesOf(dataset), ({ sample }) => sample.label)
  return twinLabels(dataset.labels).map((twins) => {
    const names = twins.labels.map((label) => `"${label}" (${plural(photos.get(label)!.length, 'photo')})`)
    const detail = `${names.slice(0, -1).join(', ')} and ${names.at(-1)} differ in ${twins.differIn} alone: if they are one flower, put its photos under one name; if not, give them names that tell them apart`
    return { kind: 'twinLabels', ids: [], detail }
  })
}

function judgeValidation({ labels, valid }: Dataset, offenders: ReadonlySet<string>): Problem[] {
  const photos = groupBy(valid, ({ label }) => label)
  return labels.flatMap((label): Problem[] => {
    const own = photos.get(label) ?? []
    if (!own.every(({ id }) => offenders.has(id))) return []
    const lost = own.length === 0 ? '' : `: ${own.length} of ${own.length} cannot be used`
    return [{ kind: 'notValidated', ids: [], detail: `${label}${lost}` }]
  })
}

function offendersOf({ kind, ids }: Problem, splitOf: ReadonlyMap<string, Split>): readonly string[] {
  if (auditKinds[kind].severity !== 'error') return []
  if (kind !== 'acrossSplits') return ids
  const kept = (['test', 'valid'] as const).find((split) => ids.some((id) => splitOf.get(id) === split))
  return ids.filter((id) => splitOf.get(id) !== kept)
}

interface Placed {
  readonly sample: Sample
  readonly split: Split
}

interface CopyKinds {
  readonly acrossClasses: AuditKind
  readonly acrossSplits: AuditKind
  readonly together: AuditKind
}

const copyKinds: CopyKinds = { acrossClasses: 'acrossClasses', acrossSplits: 'acrossSplits', together: 'duplicate' }
const nearKinds: CopyKinds = {
  acrossClasses: 'nearAcrossClasses',
  acrossSplits: 'nearAcrossSplits',
  together: 'nearDuplicate',
}

/** Kinds of near-duplicates, the most telling first. */
export const nearDuplicateKinds: readonly AuditKind[] = Object.values(nearKinds)

function judgeCopies(group: readonly Placed[], kinds: CopyKinds): Problem {
  const ids = group.map(({ sample }) => sample.id)
  const labels = [...new Set(group.map(({ sample }) => sample.label))]
  const splits = [...new Set(group.map(({ split }) => split))]
  if (labels.length > 1) return { kind: kinds.acrossClasses, ids, detail: labels.join(', ') }
  if (splits.length > 1) return { kind: kinds.acrossSplits, ids, detail: splits.join(', ') }
  return { kind: kinds.together, ids, detail: `${group.length} copies` }
}

function judgeSize({ size }: Inspection, minimumSize: number): Pick<Problem, 'kind' | 'detail'> | undefined {
  if (!size || Math.min(size.width, size.height) >= minimumSize) return undefined
  return { kind: 'tooSmall', detail: `${size.width} x ${size.height} pixels, less than ${minimumSize}` }
}

/** Throws DATA_AUDIT where the audit found errors; the message lists the first of them. */
export function requireNoErrors(audit: Audit, { isListed = false } = {}): void {
  if (audit.errors === 0) return
  if (isListed) throw new TrainerError('DATA_AUDIT', `The audit found ${plural(audit.errors, 'error')}, listed above.`)
  const lines = audit.problems
    .filter(({ kind }) => auditKinds[kind].severity === 'error')
    .slice(0, 5)
    .map((problem) => `  ${auditKinds[problem.kind].title}: ${lineOf(problem)}`)
  const rest = audit.errors > 5 ? [`  and ${audit.errors - 5} more`] : []
  throw new TrainerError(
    'DATA_AUDIT',
    [`The audit found ${plural(audit.errors, 'error')}:`, ...lines, ...rest].join('\n'),
  )
}

/**
 * The dataset without the offenders of its audit, and the list of them. Throws DATA_NOTHING_LEFT with what is wrong with
 * the photos of a class that has no others; everything else that was found is told before, where somebody listens.
 */
export function withoutOffenders(
  dataset: Dataset,
  audit: Audit,
  tell: (text: string) => void = () => {},
): { dataset: Dataset; excluded: readonly string[] } {
  if (audit.offenders.length === 0) return { dataset, excluded: [] }
  const errors = audit.problems.filter(({ kind }) => auditKinds[kind].severity === 'error')
  const faultOf = new Map(errors.toReversed().flatMap(({ kind, ids }) => ids.map((id) => [id, kind])))
  const why = (lost: readonly Sample[]): string => {
    const faults = groupBy(lost, ({ id }) => (auditKinds[faultOf.get(id)!] as Kind).fault)
    return [...faults].map(([fault, photos]) => `${photos.length} of ${lost.length} ${fault}`).join(', ')
  }
  try {
    const left = withoutPhotos(dataset, new Set(audit.offenders), { who: 'The audit', why })
    return { dataset: left, excluded: audit.offenders }
  } catch (error) {
    tell(formatAudit(audit))
    throw error
  }
}

/** The audit as text, at most `limit` lines of each kind. */
export function formatAudit(audit: Audit, limit = 10): string {
  const { train, valid, test } = audit.counts
  const kept = test > 0 ? `, ${test} test (kept aside)` : ''
  const [fewest, most] = audit.perClass
  const lines = [
    `${plural(audit.checked, 'photo')} in ${plural(audit.classes, 'class', 'classes')}: ${train} train (${fewest === most ? fewest : `${fewest} to ${most}`} a class), ${valid} valid${kept}`,
    ...(audit.others === 0 ? [] : [`${plural(audit.others, 'photo')} of others/, of no class`]),
  ]
  for (const [kind, { severity, title }] of Object.entries(auditKinds)) {
    const found = audit.problems.filter((problem) => problem.kind === kind)
    if (found.length === 0) continue
    lines.push('', `${severity.padEnd(7)}  ${title}: ${found.length}`)
    for (const problem of found.slice(0, limit)) lines.push(`         ${lineOf(problem)}`)
    if (found.length > limit) lines.push(`         and ${found.length - limit} more`)
  }
  lines.push('', `${plural(audit.errors, 'error')}, ${plural(audit.warnings, 'warning')}`)
  return lines.join('\n')
}

function lineOf({ ids, detail }: Problem): string {
  return oneLine([ids.join(' = '), detail].filter((part) => part !== '').join('  '))
}
