import { join } from 'node:path'
import type { MeasuredShare } from '../../measure/bootstrap.ts'
import { measure } from '../../measure/measure.ts'
import { openRunData } from '../../run/run-data.ts'
import { readRun } from '../../run/run-folder.ts'
import { runFiles } from '../../run/files.ts'
import { readHistory } from '../../run/history.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { isAnswer, photosAtOnce, Scorers, ValidationSet } from '../../train/validate.ts'
import { fewShot, type FewShot } from './few-shot.ts'

/** How the best checkpoint of a run does on its validation photos. */
export interface RunScore {
  readonly accuracy: MeasuredShare
  readonly macroF1: MeasuredShare
  readonly fewShot: FewShot | null
  /** Views that a photo is seen in: the recipe's. */
  readonly views: number
  /** Side of the input, pixels. */
  readonly size: number
  /** Epochs that were trained, of each phase that has any. */
  readonly epochs: Readonly<Record<string, number>>
  /** Of training, with the validation after each epoch. */
  readonly seconds: number
  /** Whether the answer is right, by the photo's id. */
  readonly right: Readonly<Record<string, boolean>>
}

/** Scores the best checkpoint of a run with all views of its recipe, through the preprocessing of the service. */
export async function scoreRun(folder: string, source: string, signal: AbortSignal): Promise<RunScore> {
  const run = await readRun(folder)
  const { recipe, data, checkpoint, model, values } = run
  const { valid, labels } = await openRunData(source, run, { needs: 'validation', signal })
  await startTensorflow({ deterministic: true })
  const scorers = Scorers.of(model, values, recipe.preprocessing)
  const photos = new ValidationSet(valid, {
    preprocessing: { ...recipe.preprocessing, size: checkpoint.size },
    batch: photosAtOnce(checkpoint.size),
  })
  try {
    const means = await photos.probabilities(scorers, recipe.views, signal)
    const answers = means.map((mean, index) => ({ label: valid[index]!.index, mean: Float64Array.from(mean) }))
    const { top1, macroF1, classes } = await measure(answers, labels.length, recipe.seed, signal)
    return {
      accuracy: top1,
      macroF1,
      fewShot: fewShot(
        classes,
        labels.map((label) => data.counts.train.get(label) ?? 0),
      ),
      views: recipe.views.length,
      size: checkpoint.size,
      ...(await readEffort(folder)),
      right: Object.fromEntries(valid.map(({ id, index }, photo) => [id, isAnswer(means[photo]!, index)])),
    }
  } finally {
    scorers.dispose()
  }
}

/** What a run's log says of the time it took. */
async function readEffort(folder: string): Promise<Pick<RunScore, 'epochs' | 'seconds'>> {
  const { phases } = await readHistory(join(folder, runFiles.metrics))
  const trained = phases.filter(({ epochs }) => epochs.length > 0)
  return {
    epochs: Object.fromEntries(trained.map(({ phase, epochs }) => [phase, epochs.length])),
    seconds: trained.flatMap(({ epochs }) => epochs).reduce((sum, { seconds }) => sum + seconds, 0),
  }
}
