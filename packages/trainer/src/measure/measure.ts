import { ranking } from '@flowers/shared/model/calibration'
import { argmax } from '@flowers/shared/model/views'
import { bootstrap, measureShare, type MeasuredShare } from './bootstrap.ts'
import { confusionMatrix, macroF1, perClass, type ClassMetrics } from './metrics.ts'
import type { PolicyAnswer } from './calibrate.ts'

/** How good answers are, each share with its 95 % interval. */
export interface Measures {
  readonly top1: MeasuredShare
  readonly top5: MeasuredShare
  readonly macroF1: MeasuredShare
  readonly classes: readonly ClassMetrics[]
  /** `confusion[truth][predicted]`: photos. */
  readonly confusion: readonly (readonly number[])[]
}

/** Measures of answers over `classes` classes; at least one answer. */
export function measure(
  answers: readonly Pick<PolicyAnswer, 'label' | 'mean'>[],
  classes: number,
  seed: number,
): Measures {
  const labels = answers.map(({ label }) => label)
  const predicted = answers.map(({ mean }) => argmax(mean))
  const among = (k: number): boolean[] => answers.map(({ mean, label }) => ranking(mean).slice(0, k).includes(label))
  const confusion = confusionMatrix(predicted, labels, classes)
  const score = (photos: ArrayLike<number>): number => {
    const pick = (values: readonly number[]): number[] => Array.from(photos, (photo) => values[photo] as number)
    return macroF1(perClass(confusionMatrix(pick(predicted), pick(labels), classes)))
  }
  return {
    top1: measureShare(among(1), { seed }),
    top5: measureShare(among(5), { seed }),
    macroF1: bootstrap(answers.length, score, { seed, ...strataOf(labels, perClass(confusion)) }),
    classes: perClass(confusion),
    confusion,
  }
}

const fewestInStratum = 5

/**
 * Resampling within classes keeps small classes from vanishing, which would pull a mean over classes down; but a class
 * of one photo would then never vary, so it is for data with some photos of each class.
 */
function strataOf(labels: readonly number[], classes: readonly ClassMetrics[]): { strata?: readonly number[] } {
  const smallest = Math.min(...classes.map(({ photos }) => photos).filter((photos) => photos > 0))
  return smallest < fewestInStratum ? {} : { strata: labels }
}

export interface Confusion {
  readonly truth: number
  readonly predicted: number
  readonly photos: number
}

/** The most frequent wrong answers, most frequent first; of equal ones the lower classes. */
export function mostConfused(confusion: Measures['confusion'], count: number): Confusion[] {
  return confusion
    .flatMap((row, truth) => row.map((photos, predicted) => ({ truth, predicted, photos })))
    .filter(({ truth, predicted, photos }) => truth !== predicted && photos > 0)
    .sort((a, b) => b.photos - a.photos || a.truth - b.truth || a.predicted - b.predicted)
    .slice(0, count)
}
