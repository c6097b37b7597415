import { join } from 'node:path'
import { exists } from '@flowers/shared/files'
import { z } from 'zod'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../model/weights/safetensors.ts'
import type { RunData } from './data-file.ts'
import { damaged, foldFolder, parseAs, runFiles } from './files.ts'
import { readFoldPlan } from './fold-plan.ts'
import { whole } from './run-folder.ts'

/** What the network of a fold says of a photo that it did not learn from. */
export interface FoldAnswer {
  readonly id: string
  /** Of the file that was scored. */
  readonly sha256: string
  /** Index of its class. */
  readonly label: number
  /** Probabilities of the classes by view of the recipe. */
  readonly views: readonly ArrayLike<number>[]
}

const photosSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      context.addIssue({ code: 'custom', message: 'no JSON' })
      return z.NEVER
    }
  })
  .pipe(z.array(z.tuple([z.string(), z.string()])))
/** `sha256`: of the photos of the run that the folds belong to; `photos`: id and hash of each. */
const metadataSchema = z.object({ sha256: z.string(), photos: photosSchema })

/**
 * Writes what the network of a fold says of its photos into its run folder: `probabilities` [photos, views, classes] and
 * `labels` [photos]. `sha256`: of the photos of the run that the folds belong to.
 */
export async function writeFoldAnswers(folder: string, sha256: string, answers: readonly FoldAnswer[]): Promise<void> {
  const views = answers[0]?.views.length ?? 0
  const classes = answers[0]?.views[0]?.length ?? 0
  const probabilities = new Float32Array(answers.length * views * classes)
  for (const [photo, answer] of answers.entries())
    for (const [view, row] of answer.views.entries()) probabilities.set(row, (photo * views + view) * classes)
  await writeSafetensors(
    join(folder, runFiles.outOfFold),
    new Map([
      ['probabilities', { shape: [answers.length, views, classes], data: probabilities }],
      ['labels', { shape: [answers.length], data: Int32Array.from(answers, ({ label }) => label) }],
    ]),
    { sha256, photos: JSON.stringify(answers.map(({ id, sha256: own }) => [id, own])) },
  )
}

/**
 * The out-of-fold answers of a run by as many networks as it has folds; null where it was trained without. Throws
 * TRAIN_RUN_DAMAGED for answers that are not there, not whole, or of other photos.
 */
export async function readOutOfFold(
  run: string,
  data: Pick<RunData, 'sha256' | 'labels' | 'photos'>,
): Promise<{ networks: number; photos: FoldAnswer[] } | null> {
  const plan = await readFoldPlan(run)
  if (plan === null) return null
  const photos: FoldAnswer[] = []
  for (let fold = 0; fold < plan.folds; fold++) photos.push(...(await readFold(foldFolder(run, fold), data)))
  return { networks: plan.folds, photos }
}

async function readFold(folder: string, data: Pick<RunData, 'sha256' | 'labels' | 'photos'>): Promise<FoldAnswer[]> {
  const path = join(folder, runFiles.outOfFold)
  if (!(await exists(path)))
    throw damaged(
      path,
      `is gone; without ${runFiles.foldPlan} beside the folders of the folds, a model is made that is not calibrated by them`,
    )
  const { metadata } = await whole(path, readSafetensorsHeader)
  const { sha256, photos } = parseAs(path, metadataSchema, metadata)
  const tensors = await whole(path, readSafetensors)
  const [probabilities, labels] = [tensors.get('probabilities'), tensors.get('labels')]
  const [count, views, classes] = probabilities?.shape ?? []
  const known = new Map(data.photos.map((photo) => [photo.id, photo]))
  const isOfRun =
    sha256 === data.sha256 &&
    probabilities?.data instanceof Float32Array &&
    labels?.data instanceof Int32Array &&
    count === photos.length &&
    labels.data.length === count &&
    (classes === data.labels.length || count === 0) &&
    photos.every(([id, own]) => known.get(id)?.sha256 === own)
  if (!isOfRun) throw damaged(path, 'holds answers to other photos than those of the run')
  const rows = probabilities.data
  return photos.map(([id, own], photo) => ({
    id,
    sha256: own,
    label: Number(labels.data[photo]),
    views: Array.from({ length: views! }, (_, view) => {
      const start = (photo * views! + view) * classes!
      return rows.subarray(start, start + classes!)
    }),
  }))
}
