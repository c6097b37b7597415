import { basename, join } from 'node:path'
import { oneView } from '@flowers/shared/image/view'
import { z } from 'zod'
import type { Progress } from '../console/progress.ts'
import type { Dataset, Sample } from '../dataset/dataset.ts'
import { requireWritableFile, writeOutput } from '../console/output.ts'
import { explained } from '../console/system-error.ts'
import { Random } from '@flowers/shared/random'
import { judgedWithin } from '../labels/find-doubtful.ts'
import type { JudgedPhoto } from '../labels/doubtful.ts'
import { findingsOf, type Findings, type RunFacts } from './facts.ts'
import { reportPage } from './page/report-page.ts'
import { readHistory } from '../run/history.ts'
import { thumbnails } from './thumbnails.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { readJson, runFiles } from '../run/files.ts'
import { openRunData } from '../run/run-data.ts'
import { readRun, trainCountsOf, type TrainedRun } from '../run/run-folder.ts'
import { photosAtOnce, Scorers, ValidationSet } from '../train/validate.ts'

export interface ReportOptions {
  /** A run folder, of a run that has ended or was stopped. */
  readonly folder: string
  /** The photos of the run, or DATA of the command line; unless said, where the run read them. */
  readonly data?: Dataset | string
  /** The file to write, its folder made if missing; `report.html` of the run folder unless said. */
  readonly out?: string
  /** Whether thumbnails are put in; true unless said. */
  readonly photos?: boolean
  readonly signal?: AbortSignal
  /** Hears of photos of the run that are not used. */
  readonly log?: (line: string) => void
}

export interface WrittenReport {
  readonly path: string
  readonly findings: Findings
}

/**
 * Training photos are looked at for wrong labels alone, so a seeded sample is enough: as many as take the time of these
 * photos at this size, which is minutes on two cores with a network for phones.
 */
const trainBudget = { photos: 3000, size: 256 }
/** New photos that a report computes features of for a list of doubtful labels, where the run began with pretrained weights: two or three minutes on two cores. */
const mostFresh = 6000

/**
 * Writes the report of a run: its curves, and what its best weights say of its photos, in float32 and one view each.
 * Throws what `requireWritableFile` throws, TRAIN_RUN_MISSING, TRAIN_RUN_DAMAGED, TRAIN_DATA_CHANGED, DATA_IMAGE_LOST, the reason of an
 * aborted signal, and what `openDataset`
 * and reading weights throw.
 */
export async function reportRun(options: ReportOptions): Promise<WrittenReport> {
  const { folder, photos = true, out = join(folder, runFiles.report) } = options
  await requireWritableFile(out)
  const run = await readRun(folder)
  const { data = run.data.source, log, signal } = options
  const opening = { needs: 'validation', signal, ...(log && { log }) } as const
  const dataset = typeof data === 'string' ? await openRunData(data, run, opening) : data
  await startTensorflow({ deterministic: true })
  const facts: RunFacts = {
    recipe: run.recipe,
    labels: run.data.labels,
    counts: { train: trainCountsOf(run), valid: run.data.labels.map((label) => run.data.counts.valid.get(label) ?? 0) },
    splitBy: run.data.splitBy,
    source: basename(run.data.source),
    sha256: run.data.sha256,
    excluded: run.data.excluded,
    audit: run.data.audit,
    history: await readHistory(join(folder, runFiles.metrics)),
    checkpoint: run.checkpoint,
    parameters: [...run.values.values()].reduce((sum, { length }) => sum + length, 0),
    environment: await storedEnvironment(folder),
    ...(await judge(run, dataset, signal ?? new AbortController().signal)),
  }
  const findings = await findingsOf(facts, options.signal)
  const shown = [
    ...findings.mistakes,
    ...[findings.doubtful.train, findings.doubtful.valid].flatMap(({ photos }) => photos.map(({ photo }) => photo)),
    ...findings.pairs.flatMap(({ wrong, examples }) => [...wrong, ...examples]),
  ]
  const pictures = photos ? await thumbnails(shown.map(({ sample }) => sample.path)) : null
  await writeOutput(out, reportPage(facts, findings, pictures))
  return { path: out, findings }
}

/**
 * What the run's best weights say of every validation photo, and of a sample of the training photos unless a head has been
 * heard that does not know them.
 */
async function judge(
  { model, values, recipe, checkpoint }: TrainedRun,
  dataset: Dataset,
  signal: AbortSignal,
): Promise<Pick<RunFacts, 'train' | 'valid' | 'outOfFold'>> {
  const outOfFold = await judgedWithin(dataset, recipe.model.weights === null ? 0 : mostFresh, signal)
  const scorers = Scorers.of(model, values, recipe.preprocessing)
  const { size } = checkpoint
  const score = async (samples: readonly Sample[], split: JudgedPhoto['split']): Promise<JudgedPhoto[]> => {
    const set = new ValidationSet(samples, {
      preprocessing: { ...recipe.preprocessing, size },
      batch: photosAtOnce(size),
    })
    const rows = await set.probabilities(scorers, oneView, signal)
    return rows.map((scores, index) => ({ sample: samples[index]!, split, scores }))
  }
  try {
    const valid = await score(dataset.valid, 'valid')
    const sample = outOfFold === null ? sampleOf(dataset.train, size, recipe.seed) : []
    return { valid, train: await score(sample, 'train'), outOfFold }
  } finally {
    scorers.dispose()
  }
}

/** At most the photos of the budget, drawn by the seed, in their order. */
export function sampleOf<T>(photos: readonly T[], size: number, seed: number): T[] {
  const most = Math.floor(trainBudget.photos * Math.min(1, (trainBudget.size / size) ** 2))
  if (photos.length <= most) return [...photos]
  const order = new Random(seed, 'report').shuffle(Int32Array.from(photos, (_, position) => position))
  return Array.from(order.slice(0, most).sort(), (position) => photos[position]!)
}

const storedEnvironment = (folder: string): Promise<Record<string, unknown>> =>
  readJson(join(folder, runFiles.environment), z.record(z.string(), z.unknown()))

/** The report at the end of a run: what has been trained stays, whatever becomes of it. */
export async function reportAtEnd(
  { folder, progress, signal }: { folder: string; progress: Pick<Progress, 'message'>; signal: AbortSignal },
  dataset: Dataset,
): Promise<void> {
  progress.message('looking at the photos once more for report.html')
  try {
    await reportRun({ folder, data: dataset, signal })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const reason = explained(error)
    progress.message(
      `warning: report.html was not written: ${reason instanceof Error ? reason.message : String(reason)}`,
    )
  }
}
